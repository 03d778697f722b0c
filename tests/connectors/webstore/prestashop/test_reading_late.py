"""Rows that show late, and the hour that comes twice: read in several walks as in one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore.prestashop import reading
from core.stage import walk
from sla.clock import Kind

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def bodies(found):
    return [one.body for one in found.messages.values() if one.kind is not Kind.SYSTEM]


def crowd(shop, clock, count):
    """A robot fills in the form: *count* threads within a minute."""
    for number in range(count):
        shop.open_thread(f"Robot {number}", at=clock.now + number * MINUTE / count)
    clock.now += MINUTE


@pytest.mark.parametrize("count", [60, 250])
async def test_a_row_that_shows_late_is_read_however_many_came_behind_it(shop, clock, read, count):
    """Its transaction took long while a robot wrote; a walk has several pages."""
    quick = shop.open_thread("Quick", at=clock.now - HOUR)
    first = await read()
    held, begun = shop.reserve(), clock.now
    crowd(shop, clock, count)
    second = await read(first.cursor)
    shop.customer_writes(quick.id, "Slow", at=begun, number=held)
    clock.now += 2 * MINUTE

    assert "Slow" in bodies(await read(second.cursor))


async def test_what_is_settled_is_not_read_again_and_again(sandbox, shop, clock, read):
    crowd(shop, clock, 250)
    young = await read((await read()).cursor)
    clock.now += HOUR
    old = await read((await read(young.cursor)).cursor)
    crowd(shop, clock, reading.MOST_AGAIN + 200)
    many = await read(old.cursor)
    before = len(sandbox.calls("customer_messages"))
    await read(many.cursor)

    assert len(bodies(young)) == 250
    assert len(bodies(old)) == reading.AGAIN
    pages = len(sandbox.calls("customer_messages")) - before
    assert pages == reading.MOST_AGAIN // reading.PAGE + 1


TWICE = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
"""02:00 in Paris for the first time; an hour later it is for the second."""


async def test_trap_23_a_question_of_the_hour_that_comes_twice_keeps_its_instant(
    shop, clock, opened
):
    """Though a later walk reads it without the answer before it, which tells which of both."""
    clock.now = TWICE + 2 * HOUR
    thread = shop.open_thread("Where is it?", at=TWICE - HOUR)
    shop.employee_writes(thread.id, "On its way", at=TWICE + 50 * MINUTE)
    crowd_at = TWICE + 55 * MINUTE
    for number in range(60):
        shop.open_thread(f"Robot {number}", at=crowd_at + number * SECOND)
    shop.customer_writes(thread.id, "And when?", at=TWICE + 70 * MINUTE)
    connector = opened()

    first = await walk(connector, "messages", None, clock.now)
    second = await walk(connector, "messages", first.cursor, clock.now + HOUR)

    found = [
        one.sent_at
        for each in (first, second)
        for one in each.messages.values()
        if one.body == "And when?"
    ]
    assert found == [TWICE + 70 * MINUTE] * 2
