"""What cannot be read of a dossier ends nothing. Rule: clock.md, section 5."""

from __future__ import annotations

from contextlib import suppress

import pytest

from core.errors import ConnectorError
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
    one.speak_oddly(itemId=int(one.order.item) + 1, reason="FRAUD")
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
