"""What comes late into an erased thread runs for nobody; who writes there since is somebody new."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.arrival import erasing
from core.metrics import Metrics
from core.pushes import Member
from core.running import forgetting
from core.store import transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, buyer, stored, thread

SOON = timedelta(seconds=20)


@pytest.mark.parametrize("sent", [timedelta(seconds=10), None])
@pytest.mark.parametrize("returned", [True, False])
async def test_no_clock_runs_for_a_message_without_words(pool, now, sent, returned):
    """Written within the clocks' slack, or without a date."""
    rules = seeds.rules(accounts=("mk",))
    await pages.monitored(pool, now - 900 * HOUR, pages.setup("mk"))
    mine = thread(as_of=now - HOUR, buyer="Quill-Buyer_7"), buyer("M1", now - HOUR, body="hi")
    await stored(pool, now, *mine, of=rules)
    async with transaction(pool) as db:
        gone = [Member(frozenset({"Quill-Buyer_7"}))]
        await erasing.ask(db, "mirakl", None, gone, now)
    means = forgetting.Means(pool, rules, Metrics(), lambda: None)
    assert await forgetting.once(means, forgetting.Pace(), now) is None
    if returned:
        await stored(pool, now + HOUR, buyer("M3", now + HOUR, body="me again"), of=rules)

    late = now + (2 * HOUR if returned else SOON)
    await stored(pool, late, buyer("M2", sent and now + sent, body="still here"), of=rules)

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert bodies["M2"] == ""
    running = [row[1] for row in await pages.clock_rows(pool) if row[2] is None]
    assert running == (["M3"] if returned else [])


async def test_two_late_messages_of_one_instant_are_both_stored(pool, now):
    """Each ends what it begins at that instant, and one turn ends both."""
    await pages.monitored(pool, now - 900 * HOUR)
    await stored(pool, now, thread(as_of=now), buyer("M1", now - HOUR))
    await pool.execute("update thread set erased_at = $1", now)

    for number in (2, 3):
        await stored(pool, now + SOON, buyer(f"M{number}", now - HOUR, body="still here"))

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert (bodies["M2"], bodies["M3"]) == ("", "")
    assert [row[1] for row in await pages.clock_rows(pool) if row[2] is None] == []
