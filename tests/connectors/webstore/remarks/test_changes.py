"""The walk by the date of the change, over an invented list that changes under it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore.remarks import changes
from connectors.webstore.remarks.changes import Change, Cursor, Steps, Walk
from core.errors import BadPayload
from core.model import Page
from core.payload import instant

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
STEPS = Steps(look_back=30 * DAY, overlap=15 * MINUTE)


def listed(orders, walk, count, now=NOW):
    """The page that a shop gives: changes after an instant, the first one first."""
    after = walk.from_instant(now)
    fitting = sorted((at, name) for name, at in orders.items() if at > after)
    came = fitting[(walk.page - 1) * count :][:count]
    return [Change(name, at) for at, name in came], walk.page * count >= len(fitting)


def walked(orders, cursor, count=3, now=NOW, between=lambda _: None):
    """All that a walk reads as new, and its cursor."""
    walk, new = STEPS.begin(cursor, now), []
    for step in range(1000):
        came, is_last = listed(orders, walk, count, now)
        new += [one.id for one in came if walk.is_new(one)]
        page = STEPS.onward(Page(), walk, came, now, is_last=is_last)
        if not page.more:
            return new, page.cursor
        walk = Walk.read(page.position)
        between(step)
    raise AssertionError("the walk does not end")


def orders(count, apart=MINUTE, ago=DAY):
    return {str(number): NOW - ago + number * apart for number in range(count)}


def test_every_order_is_read_and_then_none_is_new():
    found, cursor = walked(orders(20), None)
    again, _ = walked(orders(20), cursor)

    assert set(found) == set(orders(20))
    assert again == []


def test_more_orders_of_one_second_than_a_page_holds_are_read():
    assert set(walked(orders(40, apart=timedelta(0)), None)[0]) == set(orders(40))


@settings(max_examples=60)
@given(st.lists(st.integers(0, 19), max_size=15), st.integers(1, 5))
def test_an_order_that_changes_under_the_walk_hides_no_other(moves, count):
    """Not longer than until the next walk, where both changed within the last minute."""
    told, left = orders(20), list(moves)

    def between(step):
        if left:
            told[str(left.pop())] = NOW - MINUTE + step * timedelta(milliseconds=1)

    first, cursor = walked(told, None, count, between=between)
    later, _ = walked(told, cursor, count)

    assert {*first, *later} == set(orders(20))
    assert {*first} >= {name for name in told if int(name) not in moves}


@settings(max_examples=100)
@given(st.lists(st.integers(0, 19), max_size=15), st.integers(1, 5))
def test_what_leaves_a_second_of_several_pages_hides_no_other(moves, count):
    """What stays there is read by this walk; what leaves it, not later than by the next one."""
    told, left = orders(20, apart=timedelta(0)), list(moves)

    def between(step):
        if left:
            told[str(left.pop())] = NOW - 2 * MINUTE + step * SECOND

    first, cursor = walked(told, None, count, between=between)
    later, _ = walked(told, cursor, count)

    assert {*first, *later} == set(orders(20))
    assert {*first} >= {name for name in told if int(name) not in moves}


def test_a_walk_that_breaks_off_within_a_second_hides_no_other():
    """Its cursor goes past the second when that was read there and back."""
    told = orders(8, apart=timedelta(0)) | {f"late{n}": NOW - n * MINUTE for n in range(2, 6)}
    walk, stood = STEPS.begin(None, NOW), []
    while walk:
        came, is_last = listed(told, walk, 3)
        page = STEPS.onward(Page(), walk, came, NOW, is_last=is_last)
        asked = (walk.since, walk.page)
        stood.append((asked, instant(Cursor.read(page.cursor).since) > NOW - DAY))
        walk = Walk.read(page.position) if page.more else None
    second = (NOW - DAY).isoformat()

    assert stood[1:6] == [
        ((second, 1), False), ((second, 2), False), ((second, 3), False),
        ((second, 2), False), ((second, 1), True),
    ]  # fmt: skip


def test_what_is_not_over_for_a_minute_is_read_again():
    told = {"1": NOW - 30 * SECOND, "2": NOW - 5 * MINUTE}
    _, cursor = walked(told, None)

    assert walked(told, cursor)[0] == ["1"]


def test_an_order_of_tomorrow_moves_nothing_past_our_time():
    _, cursor = walked({"1": NOW + DAY}, None)

    assert instant(Cursor.read(cursor).since) <= NOW


def test_a_walk_that_does_not_go_on_ends():
    walk = Walk(NOW.isoformat(), changes.MOST_PAGES)

    with pytest.raises(BadPayload, match="does not go on"):
        STEPS.onward(Page(), walk, [Change("1", None)], NOW, is_last=False)


def test_who_waits_is_remembered_and_read_again_in_turn():
    walk = STEPS.begin(None, NOW).with_read({str(n): NOW for n in range(30)})
    first = walk.to_look_at()
    walk = walk.with_read(dict.fromkeys(first, NOW))

    assert len(first) == changes.AGAIN
    assert set(walk.to_look_at()) >= {str(n) for n in range(20, 30)}


def test_who_was_answered_or_is_gone_is_forgotten():
    walk = STEPS.begin(None, NOW).with_read({"1": NOW, "2": NOW, "3": NOW})

    assert set(walk.with_read({"1": None}, gone=["2"]).waiting) == {"3"}


def test_a_cursor_stays_small():
    walk = STEPS.begin(None, NOW)
    walk = walk.with_read({str(n): NOW - n * SECOND for n in range(600)} | {"old": NOW - 40 * DAY})
    page = STEPS.onward(Page(), walk, [], NOW, is_last=True)
    told = json.loads(page.cursor)

    assert len(told["waiting"]) == changes.MOST_WAITING
    assert "0" in told["waiting"]
    assert "old" not in told["waiting"]
