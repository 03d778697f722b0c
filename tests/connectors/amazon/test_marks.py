"""What an agent says of a thread at Amazon, whose own mark and answers there nobody else sees."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.amazon import mapping, offer, policies
from connectors.amazon.identity import Memory
from core import ingest, marks
from core.store import transaction
from sla.policy import Party
from sla.turn import Level
from tests.connectors.amazon.letters import CASE, NOW, SENT, arrival, options, question
from tests.core import seeds

THREAD = f"case:{CASE}"
CLOCKS = "select promise, ended, reason, stopped_at from clock where thread = $1"


@pytest.fixture
def rules():
    can = offer.can(options())
    says = {"judged": can.verdicts, "letters": can.letters, "confirmed_after": can.confirmed_after}
    return seeds.rules(policies={"mk": policies.of(options())}, says=says)


@pytest.fixture
async def asked(pool, rules):
    """A question whose 24 hours run."""
    page = mapping.pieces([arrival(question())], options(), Memory(), NOW).page()
    async with transaction(pool) as db:
        await seeds.put_account(db, NOW - timedelta(days=2))
        await ingest.page(db, rules, "mk", page, NOW, None)


async def clocks(pool):
    async with pool.acquire() as db:
        return [tuple(row) for row in await db.fetch(CLOCKS, THREAD)]


async def test_that_amazons_own_mark_was_set_voids_the_contract(pool, rules, asked):
    async with transaction(pool) as db:
        await marks.mark(db, rules, "mk", THREAD, Level.MARKED, NOW)

    (clock,) = await clocks(pool)
    assert clock[:3] == ("amazon-message", "void", "marked")


async def test_that_it_was_decided_here_leaves_the_contract_running(pool, rules, asked):
    """Amazon counts until its own mark is set: a click here is nothing that it sees."""
    async with transaction(pool) as db:
        await marks.mark(db, rules, "mk", THREAD, Level.DECIDED, NOW)

    assert [row[1] for row in await clocks(pool)] == [None]


async def test_that_it_was_answered_at_amazon_ends_it_at_that_instant(pool, rules, asked):
    at = SENT + timedelta(hours=1)
    async with transaction(pool) as db:
        await marks.answered(db, rules, "mk", THREAD, at, {Party.BUYER}, NOW)

    assert await clocks(pool) == [("amazon-message", "met", None, at)]
