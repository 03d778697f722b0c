"""What cannot be read of a dossier ends nothing. Rule: clock.md, section 5."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from core.errors import ConnectorError, RateLimited, Unreachable
from tests.connectors.ebay.dossiers.files import DAY, HOUR

REFUND, EVIDENCE = "SELLER_ISSUE_REFUND", "PROVIDE_EVIDENCE"


def running(files):
    """The dates that run, by act."""
    found = [files.given_clocks(thread) for thread in files.threads]
    return {act: c.due_at for clocks in found for act, c in clocks.items() if c.ended is None}


@pytest.fixture
def wanting(desk, clock):
    """A dossier of which a detail alone tells what is asked."""

    def wanting(stream):
        if stream == "inquiries":
            one = desk.open_inquiry(at=clock() - HOUR)
            one.wants_refund(clock() + 2 * DAY)
        elif stream == "cases":
            one = desk.open_case(at=clock() - HOUR)
            one.wants_refund(clock() + 2 * DAY)
        else:
            one = desk.open_dispute(at=clock() - HOUR)
            one.seller_responds("CONTEST", 1, at=clock() - HOUR / 2)
            one.wants_evidence(clock() + 2 * DAY)
        return one

    return wanting


DETAILS = {"inquiries": "getInquiry", "cases": "getCase", "disputes": "getPaymentDispute"}
ACTS = {"inquiries": REFUND, "cases": REFUND, "disputes": EVIDENCE}


def changes(one, clock):
    """The summary says something else than before."""
    one.speak_oddly(itemId=int(one.order.item) + 1, reason="FRAUD", cancelReason="FRAUD")
    clock.advance(minutes=1)


@pytest.mark.parametrize("status", [400, 404, 429, 500])
@pytest.mark.parametrize("stream", list(DETAILS))
async def test_a_detail_that_fails_ends_nothing_that_stands_there_alone(
    wanting, walk, files, sandbox, clock, stream, status
):
    due = clock() + 2 * DAY
    one = wanting(stream)
    await walk(stream)
    assert running(files)[ACTS[stream]] == due
    clock.advance(minutes=5)
    changes(one, clock)
    sandbox.faults.order("status", status=status, operation=DETAILS[stream], count=90)

    for _ in range(2):
        with suppress(ConnectorError):
            await walk(stream)
        clock.advance(minutes=5)

    assert running(files)[ACTS[stream]] == due


@pytest.mark.parametrize("stream", list(DETAILS))
async def test_a_detail_that_can_be_read_again_tells_its_end(
    wanting, walk, files, sandbox, clock, stream
):
    one = wanting(stream)
    await walk(stream)
    acted = clock.advance(minutes=5)
    if stream == "disputes":
        one.provides_evidence()
    else:
        one.seller_ships()
    changes(one, clock)
    sandbox.faults.order("status", status=400, operation=DETAILS[stream])
    await walk(stream)
    assert ACTS[stream] in running(files)
    sandbox.faults.lift()
    clock.advance(minutes=5)

    await walk(stream)

    [thread] = files.threads
    found = files.given_clocks(thread)[ACTS[stream]]
    assert (found.ended, found.stopped_at) == ("met", acted)


OPENED = {
    "inquiries": "open_inquiry",
    "returns": "open_return",
    "cancellations": "open_cancellation",
    "cases": "open_case",
    "disputes": "open_dispute",
}
streams = pytest.mark.parametrize("stream", list(OPENED))


def remembered(walk, stream):
    """What stands in the cursor: the marks of the open ones, "" where one is still to be read."""
    known = json.loads(walk.cursors[stream])["open"]
    return {id_: one["mark"] for id_, one in known.items()}


def dates(files):
    return sorted(due for t in files.threads for due in running_of(files, t))


def running_of(files, thread):
    return [c.due_at for c in files.given_clocks(thread).values() if c.ended is None]


@pytest.fixture
def breaks(sandbox):
    """The detail of this dossier fails from now on."""

    def breaks(*several, status=500):
        for one in several:
            sandbox.faults.order("status", status=status, path=f"*/{one.id}")

    return breaks


class TestOneThatFailsForEver:
    @streams
    async def test_costs_the_others_nothing(self, desk, walk, files, breaks, clock, stream):
        several = [getattr(desk, OPENED[stream])(at=clock() - HOUR) for _ in range(8)]
        bad = several[3]
        breaks(bad)

        await walk(stream)

        assert dates(files) == sorted(one.due_at for one in several)
        assert [t.id.partition(":")[2] for t in files.threads.values() if t.incomplete] == [bad.id]
        assert {item.reason for item in files.aside} == {"detail: 500"}
        assert remembered(walk, stream)[bad.id] == ""
        assert len(remembered(walk, stream)) == 8

    @streams
    async def test_is_asked_for_by_each_walk_until_it_can_be_read(
        self, desk, walk, files, sandbox, breaks, clock, stream
    ):
        several = [getattr(desk, OPENED[stream])(at=clock() - HOUR) for _ in range(3)]
        breaks(several[1])
        for _ in range(3):
            await walk(stream)
            clock.advance(minutes=5)
        assert len({(item.source_id, item.reason) for item in files.aside}) == 1
        sandbox.faults.lift()

        await walk(stream)

        assert not any(t.incomplete for t in files.threads.values())
        assert "" not in remembered(walk, stream).values()

    @streams
    async def test_is_told_from_a_server_that_is_down_by_another_one(
        self, desk, walk, files, breaks, clock, stream
    ):
        """Nothing else was to be read in that walk."""
        several = [getattr(desk, OPENED[stream])(at=clock() - HOUR) for _ in range(3)]
        await walk(stream)
        clock.advance(minutes=5)
        changes(several[0], clock)
        breaks(several[0])

        await walk(stream)

        assert dates(files) == sorted(one.due_at for one in several)
        assert {item.reason for item in files.aside} == {"detail: 500"}
        assert list(remembered(walk, stream).values()).count("") == 1

    async def test_stays_open_where_it_is_listed_no_more(self, desk, walk, files, breaks, clock):
        one, _ = desk.open_return(at=clock() - 20 * DAY), desk.open_return()
        await walk("returns")
        before = dates(files)
        clock.advance(minutes=5)
        one.buyer_closes()
        breaks(one)

        for _ in range(2):
            await walk("returns")
            clock.advance(minutes=5)

        assert dates(files) == before
        assert remembered(walk, "returns")[one.id] == ""

    async def test_is_one_of_several(self, desk, walk, files, breaks, clock):
        several = [desk.open_return() for _ in range(40)]
        breaks(*several[5:30])

        await walk("returns")

        assert list(remembered(walk, "returns").values()).count("") == 25
        assert dates(files) == sorted(one.due_at for one in several)
        assert sum(t.incomplete for t in files.threads.values()) == 25


SEARCHES = {"inquiries": "searchInquiries", "cases": "searchCases"}


class TestReadAgainInVain:
    @pytest.mark.parametrize("status", [404, 500])
    @pytest.mark.parametrize("stream", list(SEARCHES))
    async def test_what_was_known_stands_and_the_others_cost_no_more(
        self, desk, walk, files, breaks, asked, clock, stream, status
    ):
        several = [getattr(desk, OPENED[stream])(at=clock() - HOUR) for _ in range(10)]
        several[8].wants_refund(clock() + 2 * DAY)
        await walk(stream)
        before = dates(files)
        breaks(several[8], status=status)
        asked()
        clock.advance(minutes=30)

        await walk(stream)

        counted = asked()
        assert counted[SEARCHES[stream]] <= 2
        assert counted[DETAILS[stream]] == 9
        assert not any(t.incomplete for t in files.threads.values())
        assert dates(files) == before

    @pytest.mark.parametrize("is_listed", [True, False])
    async def test_many_keep_no_other_from_its_turn(
        self, desk, walk, files, breaks, clock, is_listed
    ):
        several = [desk.open_return() for _ in range(30)]
        await walk("returns")
        gone, others = several[:14], several[14:]
        if is_listed:
            breaks(*gone, status=404)
        else:
            for one in gone:
                desk.forget(one.id)
        for _ in range(7):
            clock.advance(minutes=5)
            await walk("returns")
        for one in others:
            one.buyer_writes("Hello?")

        for _ in range(6):
            clock.advance(minutes=5)
            await walk("returns")

        assert [m.body for m in files.messages.values()].count("Hello?") == len(others)


async def test_a_server_that_is_down_is_asked_little_and_told(desk, walk, files, sandbox):
    several = [desk.open_return() for _ in range(60)]
    order = sandbox.faults.order("status", status=503, operation="getReturn")

    with pytest.raises(Unreachable):
        await walk("returns")

    assert dates(files) == sorted(one.due_at for one in several)
    assert files.aside == []
    assert sandbox.faults.orders[order].hits == (5 + 5) * 3


async def test_a_server_that_goes_down_in_a_walk_is_told_too(desk, walk, files, sandbox):
    several = [desk.open_return() for _ in range(60)]
    order = sandbox.faults.order("status", status=503, operation="getReturn", skip=20)

    with pytest.raises(Unreachable):
        await walk("returns")

    assert dates(files) == sorted(one.due_at for one in several)
    assert sandbox.faults.orders[order].hits == (5 + 5 + 5 + 1) * 3


async def test_a_limit_in_the_midst_of_asking_loses_nothing_that_was_read(
    desk, walk, files, sandbox
):
    for _ in range(30):
        desk.open_return()
    sandbox.faults.order("status", status=503, operation="getReturn", count=5 * 3)
    sandbox.faults.order("status", status=429, operation="getReturn", skip=12)

    with pytest.raises(RateLimited):
        await walk("returns")

    assert sum(not t.incomplete for t in files.threads.values()) == 12


ENDS = {
    "inquiries": lambda one: one.buyer_closes(),
    "cases": lambda one: one.ebay_decides("SELLER"),
    "disputes": lambda one: one.is_decided(won=True),
}


class TestClosedWithoutADetail:
    @pytest.mark.parametrize("status", [400, 404, 500])
    @pytest.mark.parametrize("stream", list(ENDS))
    async def test_it_is_open_until_a_detail_tells_how_it_ended(
        self, desk, walk, files, sandbox, breaks, clock, stream, status
    ):
        one = getattr(desk, OPENED[stream])(at=clock() - HOUR)
        getattr(desk, OPENED[stream])(at=clock() - HOUR)
        await walk(stream)
        before = dates(files)
        ended = clock.advance(minutes=5)
        ENDS[stream](one)
        clock.advance(minutes=1)
        breaks(one, status=status)

        for _ in range(3):
            await walk(stream)
            clock.advance(minutes=5)

        assert dates(files) == before
        assert {item.reason for item in files.aside} == {f"detail: {status}"}
        assert one.id in remembered(walk, stream)
        assert all(order.hits >= 3 for order in sandbox.faults.orders.values())
        sandbox.faults.lift()
        await walk(stream)
        thread = next(t for t in files.threads if t.endswith(one.id))
        assert {c.stopped_at for c in files.given_clocks(thread).values()} == {ended}
        assert one.id not in remembered(walk, stream)

    @pytest.mark.parametrize("stream", list(ENDS))
    async def test_of_which_nothing_was_known_it_is_shown_and_done(
        self, desk, walk, files, breaks, clock, stream
    ):
        await walk(stream)
        clock.advance(minutes=2)
        one = getattr(desk, OPENED[stream])()
        ENDS[stream](one)
        breaks(one, status=404)
        clock.advance(minutes=3)

        await walk(stream)

        assert [t.closed_at is not None for t in files.threads.values()] == [True]
        assert remembered(walk, stream) == {}
