"""A round of erasure that breaks off anywhere is finished by the next as if it had not."""

from __future__ import annotations

from contextlib import suppress

import pytest

from core.arrival import erasing
from core.metrics import Metrics
from core.pushes import Member
from core.running import forgetting
from core.store import erasures, transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, buyer, stored, thread

NAME, WORD = "quill-buyer", "quillbuyer"
"""Words in other people's texts, but of a member who had a thread; and of whom the marketplace
tells."""


class BrokenOff(Exception):
    """The process ends here."""


@pytest.fixture
def rules():
    return seeds.rules(accounts=("mk", "other"))


@pytest.fixture
async def number(pool, rules, now):
    """The request about a member of two threads who is named to others in each account."""
    await pages.monitored(pool, now - 900 * HOUR, pages.setup("mk"), pages.setup("other"))
    for account in ("mk", "other"):
        told = (
            thread("T1", as_of=now, buyer=NAME),
            buyer("M1", now - HOUR, "T1", body="mine"),
            thread("T2", as_of=now, buyer="somebody", reply_to={"user": "uid-quill-77"}),
            buyer("M2", now - HOUR, "T2", body="mine too"),
            thread("T3", as_of=now, buyer="Other"),
            buyer("M3", now - HOUR, "T3", body=f"I am with {NAME} too"),
            buyer("M4", now - HOUR, "T3", party="marketplace", body=f"{WORD} has paid"),
        )
        await stored(pool, now, *told, of=rules, account=account)
    async with transaction(pool) as db:
        member = Member(frozenset({NAME, WORD, "uid-quill-77"}))
        return await erasing.ask(db, "mirakl", None, [member], now)


@pytest.fixture
def turn(pool, rules, now):
    """A round that breaks off at its n-th sign of life; how many of them it gave."""

    async def turn(most=None):
        given = 0

        def beat():
            nonlocal given
            given += 1
            if given == most:
                raise BrokenOff

        means = forgetting.Means(pool, rules, Metrics(), beat)
        with suppress(BrokenOff):
            await forgetting.once(means, forgetting.Pace(), now)
        return given

    return turn


async def _left(pool):
    """What names the member yet, and what the proof says."""
    bodies = [row["body"] for row in await pages.rows(pool, "message")]
    return [body for body in bodies if NAME in body or WORD in body]


@pytest.mark.parametrize("most", [None, *range(1, 12)])
async def test_what_was_done_before_counts_and_the_member_stays_known(pool, number, turn, most):
    """Broken off once, or again and again: each time a little later."""
    if most is not None:
        assert await turn(most) == most
        async with transaction(pool) as db:
            assert (await erasures.of(db, number)).done_at is None
    await turn()

    async with transaction(pool) as db:
        proof = await erasures.of(db, number)
    assert proof.done_at is not None
    assert (await _left(pool), proof.threads, proof.texts) == ([], 4, 4)


async def test_a_round_that_breaks_off_again_and_again_gets_to_its_end(pool, number, turn):
    most = 1
    while await turn(most) == most:
        most += 1

    async with transaction(pool) as db:
        proof = await erasures.of(db, number)
    assert (await _left(pool), proof.threads, proof.texts) == ([], 4, 4)


async def test_a_page_knows_the_member_though_the_round_broke_off(pool, rules, number, turn, now):
    """Threads are empty; texts wait for the next round, and pages do not."""
    await turn(1)

    told = thread("T4", as_of=now, buyer="Other"), buyer("M9", now - HOUR, "T4", body=f"as {NAME}")
    await stored(pool, now, *told, of=rules)

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert bodies["M9"] == "as [erased]"
