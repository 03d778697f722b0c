"""Who works on a thread: one at a time, for a share of the time left, until it is answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import marks
from core.access import Role, Who
from core.desk import claiming, leases
from core.desk.claiming import Held
from core.errors import Mistaken, NotAllowed
from core.store import audit, claims, transaction
from sla.clock import Level
from sla.turn import Delivery
from tests.core import pages, seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

ANNA = Who("anna", Role.AGENT)
BERT = Who("bert", Role.AGENT)
LEAD = Who("lea", Role.LEAD)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def db(pool, now):
    """A thread whose buyer has been waiting for four hours; twenty are left."""
    await pages.monitored(pool, now - 30 * 24 * HOUR)
    await pages.stored(pool, now, pages.thread(as_of=now), pages.buyer("M1", now - 4 * HOUR))
    async with pool.acquire() as db:
        yield db


@pytest.fixture
def claim(pool, now):
    async def go(who=ANNA, at=None, thread="T1", **how):
        async with transaction(pool) as db:
            return await claiming.claim(db, who, "mk", thread, at or now, **how)

    return go


@pytest.fixture
def release(pool, now):
    async def go(who=ANNA, at=None):
        async with transaction(pool) as db:
            return await claiming.release(db, who, "mk", "T1", at or now)

    return go


async def holder(db, at):
    found = await claims.of(db, [("mk", "T1")], at)
    return next((each.by for each in found.values()), None)


async def history(db):
    past = await claims.history(db, "mk", "T1")
    return [(each.claim.by, each.ended, each.ended_at) for each in reversed(past)]


@pytest.mark.parametrize(
    ("left", "lasts"),
    [
        (20 * HOUR, 4 * HOUR),
        (8 * HOUR, 2 * HOUR),
        (20 * MINUTE, 5 * MINUTE),
        (SECOND, 5 * MINUTE),
        (-HOUR, 5 * MINUTE),
        (None, 5 * MINUTE),
    ],
)
def test_a_claim_holds_for_a_quarter_of_the_time_left_within_limits(now, left, lasts):
    due_at = None if left is None else now + left

    assert leases.until(now, due_at) == now + lasts


@given(
    st.floats(0.01, 1),
    st.timedeltas(SECOND, HOUR),
    st.timedeltas(SECOND, 24 * HOUR),
    st.timedeltas(-48 * HOUR, 400 * HOUR),
    st.timedeltas(SECOND, HOUR),
)
def test_a_claim_ends_later_the_later_it_is_renewed(share, least, more, left, later):
    """Whatever the terms: who claims again never loses time by it, and never holds for ever."""
    terms = leases.Terms(share, least, least + more)
    first = leases.until(NOON, NOON + left, terms)
    again = leases.until(NOON + later, NOON + left, terms)

    assert first <= again
    assert least <= first - NOON <= least + more


async def test_who_claims_a_thread_has_it_for_a_while(db, claim, now):
    made = await claim()

    assert (made.by, made.since, made.until) == ("anna", now, now + 4 * HOUR)
    assert await holder(db, now + 4 * HOUR - SECOND) == "anna"
    assert await holder(db, now + 4 * HOUR) is None


async def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told_who(db, claim, now):
    for _ in range(10):
        both = await asyncio.gather(claim(ANNA), claim(BERT))

        lost = [each for each in both if isinstance(each, Held)]
        won = [each for each in both if not isinstance(each, Held)]
        assert [each.claim.by for each in lost] == [each.by for each in won]
        await db.execute("delete from claim")


async def test_claiming_ones_own_again_renews_it(db, claim, now):
    await claim()
    later = now + 8 * HOUR - 4 * HOUR - MINUTE

    again = await claim(at=later)

    assert (again.since, again.until) == (now, later + 4 * HOUR)
    assert await history(db) == [("anna", None, None)]


async def test_what_is_anothers_is_told_and_left_alone(db, claim, now):
    first = await claim()

    assert await claim(BERT, at=now + MINUTE) == Held(first)
    assert await holder(db, now + MINUTE) == "anna"


async def test_a_claim_whose_time_is_over_is_anybodys(db, claim, now):
    first = await claim()

    second = await claim(BERT, at=first.until)

    assert second.by == "bert"
    assert await history(db) == [("anna", "lapsed", first.until), ("bert", None, None)]


async def test_a_lead_takes_over_and_an_agent_does_not(db, claim, now):
    await claim()

    with pytest.raises(NotAllowed, match="bert may not overrule"):
        await claim(BERT, over=True)
    taken = await claim(LEAD, at=now + MINUTE, over=True)

    assert taken.by == "lea"
    assert await history(db) == [("anna", "taken_over", now + MINUTE), ("lea", None, None)]


async def test_a_thread_is_given_back_by_who_has_it_or_by_a_lead(db, claim, release, now):
    await claim()
    with pytest.raises(NotAllowed):
        await release(BERT)

    assert (await release(at=now + MINUTE)).by == "anna"
    assert await holder(db, now + MINUTE) is None
    assert await release() is None

    await claim(at=now + HOUR)
    assert (await release(LEAD, at=now + HOUR + MINUTE)).by == "anna"


@pytest.mark.parametrize(
    "who",
    [
        Who("vera", Role.VIEWER),
        Who("elsa", Role.AGENT, accounts=frozenset({"eb"})),
        Who("otto", Role.ADMIN, accounts=frozenset()),
    ],
)
async def test_who_may_not_claim_threads_of_an_account_is_refused(db, claim, release, now, who):
    with pytest.raises(NotAllowed, match="may not claim threads of account mk"):
        await claim(who)
    with pytest.raises(NotAllowed):
        await release(who)
    assert await history(db) == []


async def test_a_thread_that_is_not_there_cannot_be_claimed(db, claim):
    with pytest.raises(Mistaken, match="account mk has no thread T9"):
        await claim(thread="T9")


async def test_a_thread_in_which_nobody_waits_is_claimed_for_the_least(pool, db, claim, now):
    await pages.stored(pool, now, pages.seller("S1", now - HOUR))

    assert (await claim()).until == now + 5 * MINUTE


async def test_an_answer_ends_the_claim_in_its_own_transaction(pool, db, claim, now):
    await claim()
    at = now + MINUTE

    await pages.stored(pool, at, pages.seller("S1", now, delivery=Delivery.CONFIRMED))

    assert await history(db) == [("anna", "answered", at)]


async def test_a_reply_of_which_nobody_knows_whether_it_arrived_ends_no_claim(pool, db, claim, now):
    await claim()

    await pages.stored(pool, now, pages.seller("S1", now, delivery=Delivery.UNKNOWN))

    assert await history(db) == [("anna", None, None)]


async def test_a_mark_ends_the_claim(db, claim, now):
    await claim()

    async with db.transaction():
        await marks.mark(db, seeds.rules(), "mk", "T1", Level.DECIDED, now + MINUTE)

    assert await history(db) == [("anna", "answered", now + MINUTE)]


async def test_another_message_of_the_buyer_ends_no_claim(pool, db, claim, now):
    await claim()

    await pages.stored(pool, now + MINUTE, pages.buyer("M2", now))

    assert await history(db) == [("anna", None, None)]


async def test_an_answer_and_a_claim_at_once_leave_no_claim_of_what_is_answered(
    pool, db, claim, now
):
    """Whichever is first: the claim ends with the answer, or is made of what nobody waits in."""
    for n in range(10):
        thread = f"R{n}"
        asked = pages.buyer(f"Q{n}", now - HOUR, thread)
        await pages.stored(pool, now, pages.thread(thread, as_of=now), asked)
        answer = pages.seller(f"A{n}", now, thread)

        made, _ = await asyncio.gather(
            claim(thread=thread), pages.stored(pool, now + SECOND, answer)
        )

        [past] = await claims.history(db, "mk", thread)
        assert past.ended == "answered" or made.until == now + 5 * MINUTE


async def test_what_lapsed_is_written_down_once(pool, db, claim, now):
    first = await claim()

    async with transaction(pool) as other:
        assert await claims.lapse(other, first.until - SECOND) == []
        assert await claims.next_end(other) == first.until
        assert await claims.lapse(other, first.until) == [first]
        assert await claims.lapse(other, first.until) == []
        assert await claims.next_end(other) is None
    assert await history(db) == [("anna", "lapsed", first.until)]


async def test_ended_claims_are_forgotten_after_a_while(pool, db, claim, release, now):
    await claim()
    await release()

    async with transaction(pool) as other:
        assert await claims.purge(other, now) == 0
        assert await claims.purge(other, now + SECOND) == 1


async def test_each_change_is_a_line_of_the_audit_trail(db, claim, release, now):
    await claim()
    await claim(BERT)
    await claim(LEAD, over=True)
    await release(LEAD)

    lines = await audit.lines(db, audit.Asked(), None, "lea", 10)
    told = [(line.who, line.act, line.thread, sorted(line.detail)) for line in reversed(lines)]
    assert told == [
        ("anna", "claim", "T1", ["until"]),
        ("lea", "overrule", "T1", ["from", "until"]),
        ("lea", "claim", "T1", ["released"]),
    ]
