"""A page is stored in time, however slowly eBay answers: the rest is asked for by the next ones."""

from __future__ import annotations

import json
from time import monotonic

import pytest

from connectors.ebay.dossiers import asking, reading
from core.reading import walk as core_walk
from tests.connectors.ebay.dossiers.files import HOUR

WITHIN, SLOW = 2.5, 0.5
OPENED = {"returns": "open_return", "cases": "open_case", "disputes": "open_dispute"}
DETAILS = {"returns": "getReturn", "cases": "getCase", "disputes": "getPaymentDispute"}

streams = pytest.mark.parametrize("stream", list(OPENED))


@pytest.fixture
def hurry(monkeypatch):
    """Pages have little time; yet an answer comes in it, however busy the machine is."""
    monkeypatch.setattr(reading, "WITHIN", WITHIN)
    monkeypatch.setattr(asking, "PROOF_WITHIN", WITHIN)


@pytest.fixture
def pages(dossiers, files, clock):
    """All pages of a first walk, each with the seconds that it took."""

    async def pages(stream):
        found, position, more = [], None, True
        while more:
            began = monotonic()
            page = await dossiers.fetch(stream, None, position, clock())
            found.append((files.take(page, clock()), monotonic() - began))
            assert page.position is None or page.position != position
            position, more = page.position, page.more
        return found

    return pages


def test_what_a_page_may_take_is_below_the_limit_of_core():
    assert reading.WITHIN + asking.PROOF_WITHIN < core_walk.LIMIT


@streams
async def test_slow_details_come_bit_by_bit(desk, pages, files, sandbox, clock, hurry, stream):
    several = [getattr(desk, OPENED[stream])(at=clock() - HOUR) for _ in range(20)]
    sandbox.faults.order("slow", delay=SLOW, operation=DETAILS[stream])

    found = await pages(stream)

    first, _ = found[0]
    assert len(first.threads) == 20
    assert any(thread.incomplete for thread in first.threads)
    assert all(seconds < 3 * WITHIN for _, seconds in found)
    assert not any(thread.incomplete for thread in files.threads.values())
    due = {c.due_at for t in files.threads for c in files.given_clocks(t).values()}
    assert due == {one.due_at for one in several}
    assert files.aside == []


async def test_what_came_too_late_counts_as_unread(desk, dossiers, sandbox, clock, hurry):
    for _ in range(20):
        desk.open_return()
    sandbox.faults.order("slow", delay=SLOW, operation="getReturn")

    page = await dossiers.fetch("returns", None, None, clock())
    while json.loads(page.position)["ask"] is None:
        page = await dossiers.fetch("returns", None, page.position, clock())

    said = json.loads(page.position)
    unread = {id_ for id_, one in said["open"].items() if not one["mark"]}
    assert unread == set(said["ask"])
    assert 0 < len(unread) < 20


async def test_one_that_never_answers_costs_the_others_nothing(desk, pages, files, sandbox, hurry):
    several = [desk.open_return() for _ in range(8)]
    bad = several[4]
    sandbox.faults.order("slow", delay=8 * WITHIN, path=f"*/{bad.id}")

    found = await pages("returns")

    assert all(seconds < 3 * WITHIN for _, seconds in found)
    assert [t.id for t in files.threads.values() if t.incomplete] == [f"return:{bad.id}"]
    assert {item.reason for item in files.aside} == {"detail: timeout"}
    known = json.loads(found[-1][0].cursor)["open"]
    assert [id_ for id_, one in known.items() if not one["mark"]] == [bad.id]
