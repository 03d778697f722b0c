"""What holds a rung back, and what becomes of it when that ends: claims, quiet hours, the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import deliver, keys, quiet
from core.access import Role, Who
from core.connector import Capabilities
from core.desk import claiming, escalating, leases, marking
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.people.ladders import Ladder, Rung
from core.routing import Route
from core.store import (
    dispatches,
    escalations,
    linking,
    notices,
    rungs,
    settling,
    transaction,
)
from sla.clock import Level
from tests.core import climbing, pages, people, seeds
from tests.core.climbing import KNOWN
from tests.core.seeds import HOUR, MINUTE, SECOND
from tests.core.test_deliver import Remembering

ADA = Who("ada", Role.AGENT)
DAY = 24 * HOUR
NOTHING = Capabilities()
LATE = Ladder("late", (Rung(15 * MINUTE, ("person:lea",)),))
WARNED = 15 * MINUTE + SECOND
"""So long after the warning the first rung is due."""
QUIET = people.nights("UTC")
"""From 22 o'clock to 7."""


def asleep(name, *passes):
    return people.person(name, f"mail-{name}", quiet=QUIET, passes=frozenset(passes))


def awake(name):
    return people.person(name, f"mail-{name}")


def everybody(*several):
    return {one.name: one for one in several}


@pytest.fixture
async def db(pool, now):
    await pages.monitored(pool, now - 30 * DAY)
    async with pool.acquire() as db:
        await seeds.put_thread(db, now)
        await db.execute("update account set first_walk_at = monitored_since")
        yield db


@pytest.fixture
def warned(pool, db):
    """A clock whose only warning is told *at* an instant, and which is due *later*."""

    async def go(rules, at, later=10 * HOUR):
        number = await seeds.put_clock(db, at + later, steps=[at - MINUTE, at + later])
        await seeds.watched(pool, rules, at)
        return number

    return go


@pytest.fixture
def climb(pool, db):
    async def go(rules, at):
        return await escalating.once(pool, rules, KNOWN, at)

    return go


@pytest.fixture
def claim(pool):
    async def go(at, terms=leases.USUAL):
        async with transaction(pool) as db:
            return await claiming.claim(db, ADA, "mk", "T1", at, terms)

    return go


@pytest.fixture
def held(pool, db):
    """The rung for Lea is about to leave, and is held."""

    async def go(at):
        await db.execute("update dispatch set next_try_at = now() where notifier = 'mail-lea'")
        async with transaction(pool) as other:
            got = await dispatches.claim(other, "mail-lea", 16)
            assert await rungs.hold(other, "mail-lea", got, at)

    return go


@pytest.fixture
def left(pool, db):
    """What a person is sent when all that waits is due."""

    async def go(rules, at, name):
        await db.execute("update dispatch set next_try_at = now() where sent_at is null")
        told = Remembering(f"mail-{name}")
        await deliver.once(pool, {told.name: told}, rules, {}, Metrics(), at)
        return [(notice.kind, words) for notice, words in told.got]

    return go


async def is_due(db):
    return await db.fetchval(
        "select bool_and(d.next_try_at <= now() and d.suppressed is null) from dispatch d"
        " join notice n on n.id = d.notice where n.kind = 'escalation'"
    )


async def test_a_rung_that_a_claim_holds_leaves_when_it_is_given_back_though_it_was_renewed(
    pool, db, warned, climb, claim, held
):
    at = await db.fetchval("select now()")
    await warned(climbing.rules(), at)
    await climb(climbing.rules(), at + WARNED)
    await claim(at + WARNED)
    await held(at + WARNED)
    assert not await is_due(db)
    await claim(at + WARNED + MINUTE)

    async with transaction(pool) as other:
        await claiming.release(other, ADA, "mk", "T1", at + WARNED + 2 * MINUTE)

    assert await is_due(db)


async def test_a_rung_that_a_claim_holds_leaves_when_another_clock_ends_the_claim(
    pool, db, climb, claim, held
):
    """No reply is needed says an agent: that ends our own goal, and the contract runs on."""
    at = await db.fetchval("select now()")
    contract = seeds.policy("contract", marketplace_mark=True)
    goal = seeds.policy("goal", role="goal", reply_within=8 * HOUR)
    rules = replace(climbing.rules(), policies={"mk": (contract, goal)})
    await pages.monitored(pool, at - 30 * DAY)
    asked = pages.buyer("M1", at - 23 * HOUR)
    await pages.stored(pool, at - 23 * HOUR, pages.thread(as_of=at), asked, of=rules)
    await seeds.watched(pool, rules, at)
    await climb(rules, at + WARNED)
    await claim(at + WARNED, leases.Terms(0.25, HOUR, 4 * HOUR))
    await held(at + WARNED)

    async with transaction(pool) as other:
        decided = Level.DECIDED
        await marking.mark(other, rules, ADA, "mk", "T1", decided, NOTHING, at + WARNED + MINUTE)

    waits = await db.fetch(
        "select d.next_try_at <= now() as due, d.suppressed from dispatch d"
        " join notice n on n.id = d.notice join clock c on c.id = n.clock"
        " where n.kind = 'escalation' and c.ended is null"
    )
    assert [tuple(row) for row in waits] == [(True, None)]


async def test_a_claim_that_ends_in_quiet_hours_lets_no_rung_wake_anybody(
    pool, db, warned, climb, claim, held, now
):
    rules = climbing.rules(people=everybody(asleep("lea"), awake("boss")))
    at = now.replace(hour=21, minute=40)
    await warned(rules, at)
    await climb(rules, at + WARNED)
    claimed = await claim(at + WARNED)
    await held(at + WARNED)
    await db.execute("update dispatch set next_try_at = now() where notifier = 'mail-lea'")

    async with transaction(pool) as other:
        got = await dispatches.claim(other, "mail-lea", 16)
        told = await quiet.hold_claimed(other, rules.routing, got, claimed.until + SECOND)

    assert (len(got), told) == (1, [])
    morning = (at + DAY).replace(hour=7, minute=0)
    assert await climbing.waits(db) == [("mail-lea", morning)]


@pytest.mark.parametrize(("passes", "waits"), [((1,), False), ((2,), True)])
async def test_a_rung_is_let_pass_as_the_warning_is_that_climbs(
    db, warned, climb, left, now, passes, waits
):
    rules = climbing.rules(people=everybody(asleep("lea", *passes), awake("boss")))
    at = now.replace(hour=22)
    await warned(rules, at)
    await climb(rules, at + WARNED)

    named = await db.fetchval("select digest from dispatch where notifier = 'mail-lea'")
    assert (named is not None) is waits
    await db.execute("update dispatch set digest = null")
    assert (await left(rules, at + WARNED, "lea") == []) is waits


async def test_a_ladder_that_a_warning_began_wakes_whom_a_breach_wakes_once_it_is_late(
    pool, db, warned, climb, left, now
):
    ladder = replace(LATE, rungs=(*LATE.rungs, Rung(90 * MINUTE, ("person:boss",))))
    both = everybody(awake("lea"), asleep("boss", NoticeKind.BREACH))
    rules = climbing.rules(ladder, people=both)
    at = now.replace(hour=22)
    await warned(rules, at, HOUR)
    await climb(rules, at + WARNED)
    await seeds.watched(pool, rules, at + HOUR + SECOND)
    await climb(rules, at + 2 * HOUR)

    named = await db.fetch("select digest from dispatch where notifier = 'mail-boss'")
    assert [row["digest"] for row in named] == [None], "it waits for no morning"
    told = await left(rules, at + 2 * HOUR, "boss")
    assert [kind for kind, _ in told] == [NoticeKind.ESCALATION]


@pytest.fixture
def raised(pool, db):
    async def go(rules, kind, at):
        async with transaction(pool) as other:
            one = Notice(f"mk/{kind.value}/{at.isoformat()}", kind, "mk", at)
            await notices.raise_(other, rules, [one])
            return await other.fetchval("select id from notice where key = $1", one.key)

    return go


async def test_the_last_rung_of_a_trouble_that_is_over_does_not_leave(db, climb, raised, left, now):
    rules = climbing.rules(LATE, people=everybody(asleep("lea"), awake("boss")))
    at = now.replace(hour=22)
    await raised(rules, NoticeKind.BLIND, at)
    await climb(rules, at + WARNED)
    assert await climbing.standing(db) == [(1, "exhausted")]
    await raised(rules, NoticeKind.ACCOUNT_UP, at + HOUR)

    assert await left(rules, at + 10 * HOUR, "lea") == []
    assert [said for _, to, said in await seeds.dispatches(db) if to == "mail-lea"] == ["over"]


async def test_the_last_rung_of_a_trouble_that_goes_on_leaves(db, climb, raised, left, now):
    rules = climbing.rules(LATE)
    await raised(rules, NoticeKind.ACCOUNT_UP, now - MINUTE)
    await raised(rules, NoticeKind.BLIND, now)
    await climb(rules, now + WARNED)
    await raised(rules, NoticeKind.PUSH_HEARD, now + WARNED)

    told = await left(rules, now + HOUR, "lea")

    assert [kind for kind, _ in told] == [NoticeKind.ESCALATION]


@pytest.mark.parametrize(
    ("end", "heard"),
    [(NoticeKind.ACCOUNT_UP, True), (NoticeKind.ACCOUNT_RETIRED, True),
     (NoticeKind.PUSH_HEARD, False)],
)  # fmt: skip
async def test_who_was_told_of_a_trouble_by_a_rung_alone_hears_its_end(
    db, climb, raised, left, now, end, heard
):
    rules = climbing.rules(LATE)
    await raised(rules, NoticeKind.BLIND, now)
    await climb(rules, now + WARNED)
    await left(rules, now + WARNED, "lea")
    await raised(rules, end, now + HOUR)

    assert [kind for kind, _ in await left(rules, now + HOUR, "lea")] == [end] * heard
    await raised(rules, end, now + 2 * HOUR)
    assert await left(rules, now + 2 * HOUR, "lea") == [], "once"
    assert await left(rules, now + 2 * HOUR, "boss") == []


async def test_who_has_heard_that_a_trouble_is_over_hears_of_no_other_end_of_it(
    climb, raised, left, now
):
    rules = climbing.rules(LATE)
    await raised(rules, NoticeKind.BLIND, now)
    await climb(rules, now + WARNED)
    await left(rules, now + WARNED, "lea")
    await raised(rules, NoticeKind.ACCOUNT_UP, now + HOUR)
    assert len(await left(rules, now + HOUR, "lea")) == 1

    await raised(rules, NoticeKind.ACCOUNT_RETIRED, now + 500 * HOUR)

    assert await left(rules, now + 500 * HOUR, "lea") == []


async def test_who_has_heard_that_an_account_is_retired_hears_of_no_later_end(
    climb, raised, left, now
):
    rules = climbing.rules(LATE)
    await raised(rules, NoticeKind.BLIND, now)
    await climb(rules, now + WARNED)
    await left(rules, now + WARNED, "lea")
    await raised(rules, NoticeKind.ACCOUNT_RETIRED, now + HOUR)
    assert len(await left(rules, now + HOUR, "lea")) == 1

    await raised(rules, NoticeKind.BLIND, now + 2 * HOUR)
    await raised(rules, NoticeKind.ACCOUNT_UP, now + 3 * HOUR)

    assert await left(rules, now + 3 * HOUR, "lea") == []


async def test_who_heard_by_a_rung_hears_the_last_end_where_the_trouble_came_again_before(
    climb, raised, left, now
):
    rules = climbing.rules(LATE)
    await raised(rules, NoticeKind.BLIND, now)
    await climb(rules, now + WARNED)
    await left(rules, now + WARNED, "lea")
    for n, kind in enumerate([NoticeKind.ACCOUNT_UP, NoticeKind.BLIND, NoticeKind.ACCOUNT_UP], 1):
        await raised(rules, kind, now + n * HOUR)

    told = await left(rules, now + 4 * HOUR, "lea")

    assert [kind for kind, _ in told] == [NoticeKind.ACCOUNT_UP]


async def test_whom_a_rung_did_not_reach_hears_of_no_end_though_the_routes_tell_it(
    db, climb, raised, left, now
):
    """The rung is over when it is about to leave: that was no attempt."""
    rules = climbing.rules(LATE)
    await raised(rules, NoticeKind.BLIND, now)
    await climb(rules, now + WARNED)
    end = await raised(rules, NoticeKind.ACCOUNT_UP, now + HOUR)
    await db.execute("insert into dispatch (notice, notifier) values ($1, 'mail-lea')", end)

    assert await left(rules, now + HOUR, "lea") == []


async def test_who_was_to_be_told_by_a_rung_that_never_left_hears_of_no_end(
    db, climb, raised, left, now
):
    rules = climbing.rules(LATE)
    await raised(rules, NoticeKind.BLIND, now)
    await climb(rules, now + WARNED)
    await raised(rules, NoticeKind.ACCOUNT_UP, now + HOUR)

    assert await left(rules, now + HOUR, "lea") == []


async def test_the_last_rung_of_a_trouble_that_was_acknowledged_does_not_leave(
    pool, db, climb, raised, left, now
):
    rules = climbing.rules(LATE)
    number = await raised(rules, NoticeKind.BLIND, now)
    await climb(rules, now + WARNED)
    async with transaction(pool) as other:
        assert await escalations.acknowledge(other, "mk", number, "ada", now + WARNED) == 1

    assert await left(rules, now + HOUR, "lea") == []
    assert await climbing.standing(db) == [(1, "acknowledged")]


def of_lea(*passes):
    """Lea is told first, and sleeps; then the boss, who does not."""
    ladder = Ladder("late", (Rung(15 * MINUTE, ("person:boss",)),))
    rules = climbing.rules(ladder, people=everybody(asleep("lea", *passes), awake("boss")))
    desk = Route("desk", (), tell=("person:lea",), ladder="late")
    routes = {**rules.routing.routes, "desk": desk}
    return replace(rules, routing=replace(rules.routing, routes=routes))


async def test_what_waits_for_the_end_of_quiet_hours_climbs_from_then_on(
    db, warned, climb, left, now
):
    rules, at = of_lea(), now.replace(hour=22)
    morning = (at + DAY).replace(hour=7)
    await warned(rules, at, 14 * HOUR)

    again = await climb(rules, at + 16 * MINUTE)
    assert await climbing.told(db) == []
    assert again >= morning + 15 * MINUTE

    await climb(rules, morning + WARNED)
    assert await climbing.told(db) == [(1, "mail-boss")]
    ((_, words),) = await left(rules, morning + WARNED, "boss")
    assert f"{morning:%Y-%m-%d} 07:00" in words.text


async def test_what_waits_for_quiet_hours_climbs_sooner_where_a_later_word_is_let_pass(
    pool, db, warned, climb, now
):
    rules, at = of_lea(NoticeKind.BREACH), now.replace(hour=22)
    await warned(rules, at, HOUR)
    await seeds.watched(pool, rules, at + HOUR + SECOND)

    await climb(rules, at + HOUR + 16 * MINUTE)

    assert await climbing.told(db) == [(1, "mail-boss")]


async def test_a_trouble_told_in_quiet_hours_climbs_from_their_end(db, climb, raised, now):
    rules, at = of_lea(), now.replace(hour=22)
    await raised(rules, NoticeKind.BLIND, at)

    await climb(rules, at + HOUR)

    assert await climbing.told(db) == []
    assert keys.quiet_until(await db.fetchval("select digest from dispatch")) is not None


@pytest.mark.parametrize("before", [5 * MINUTE, 20 * MINUTE], ids=["before a rung", "after one"])
async def test_a_trouble_that_comes_again_before_the_next_rung_climbs_anew(
    db, climb, raised, now, before
):
    rules = climbing.rules()
    await raised(rules, NoticeKind.BLIND, now)
    await climb(rules, now + before - MINUTE)
    await raised(rules, NoticeKind.ACCOUNT_UP, now + before)
    first = await climbing.told(db)
    await raised(rules, NoticeKind.BLIND, now + 21 * MINUTE)

    for minutes in (22, 37, 68):
        await climb(rules, now + minutes * MINUTE)

    assert await climbing.told(db) == [*first, (1, "mail-lea"), (2, "mail-boss")]
    assert await climbing.standing(db) == [(len(first), "over"), (2, "exhausted")]


async def test_a_trouble_that_goes_on_keeps_its_ladder_when_it_is_told_again(
    db, climb, raised, now
):
    rules = climbing.rules()
    await raised(rules, NoticeKind.ACCOUNT_UP, now - MINUTE)
    await raised(rules, NoticeKind.BLIND, now)
    await raised(rules, NoticeKind.BLIND, now + 10 * MINUTE)

    await climb(rules, now + WARNED)

    assert await climbing.standing(db) == [(1, None)]


async def test_a_rung_that_waited_when_it_was_dumped_waits_after_a_restore(
    pool, db, warned, climb, left, now
):
    """Until the account was read: it may have been told, and answered, since."""
    rules, at = climbing.rules(), now
    await warned(rules, at)
    await climb(rules, at + WARNED)
    async with transaction(pool) as other:
        await settling.settle(other, at + 20 * HOUR)

    named = await db.fetch("select distinct split_part(digest, '/', 2) as of from dispatch")
    assert [row["of"] for row in named] == ["restored"]
    told = Remembering("mail-lea")
    await deliver.once(pool, {told.name: told}, rules, {}, Metrics(), at + 20 * HOUR)
    assert told.got == []


async def test_a_ladder_goes_along_with_its_clock_to_another_thread(pool, db, climb, claim, now):
    rules = climbing.rules()
    moves = [pages.buyer("M1", now - DAY - MINUTE, thread=name) for name in ("T1", "T2")]
    await pages.stored(pool, now - DAY, pages.thread(as_of=now), moves[0], of=rules)
    await seeds.watched(pool, rules, now)
    opened = pages.thread("T2", as_of=now + MINUTE)
    await pages.stored(pool, now + MINUTE, opened, moves[1], of=rules)
    async with transaction(pool) as other:
        made = await claiming.claim(other, ADA, "mk", "T2", now + 14 * MINUTE)

    again = await climb(rules, now + WARNED)
    assert (again, await climbing.told(db)) == (made.until, [])

    await climb(rules, made.until + SECOND)
    number, thread = await db.fetchrow("select id, thread from notice where kind = 'escalation'")
    about = await linking.about(db, number)
    assert (thread, about.thread) == ("T2", "T2")


@pytest.fixture
def moves(pool, now):
    """The message that waits is one of another thread, *at* an instant: a merge."""

    async def go(rules, at):
        opened = pages.thread("T2", as_of=at)
        message = pages.buyer("M1", now - DAY - MINUTE, thread="T2")
        await pages.stored(pool, at, opened, message, of=rules)

    return go


@pytest.fixture
async def waiting(pool, now):
    rules = climbing.rules()
    first = pages.buyer("M1", now - DAY - MINUTE)
    await pages.stored(pool, now - DAY, pages.thread(as_of=now), first, of=rules)
    await seeds.watched(pool, rules, now)
    return rules


async def claims_of(db):
    rows = await db.fetch("select thread, ended from claim order by id")
    return [tuple(row) for row in rows]


async def test_a_claim_and_a_ladder_go_along_with_their_clock(pool, db, claim, waiting, moves, now):
    await claim(now + MINUTE)

    await moves(waiting, now + 2 * MINUTE)

    assert await claims_of(db) == [("T2", None)]
    assert [one.thread for one in await escalations.of_thread(db, "mk", "T2")] == ["T2"]
    assert await escalations.of_thread(db, "mk", "T1") == []
    answer = pages.seller("S1", now + 3 * MINUTE, thread="T2")
    await pages.stored(pool, now + 3 * MINUTE, answer, of=waiting)
    assert await claims_of(db) == [("T2", "answered")]


async def test_a_claim_stays_where_somebody_works_on_the_other_thread(
    pool, db, claim, waiting, moves, now
):
    await seeds.put_thread(db, now, "T2")
    await claim(now + MINUTE)
    async with transaction(pool) as other:
        await claiming.claim(other, Who("bo", Role.AGENT), "mk", "T2", now + MINUTE)

    await moves(waiting, now + 2 * MINUTE)

    assert await claims_of(db) == [("T1", None), ("T2", None)]


async def test_a_claim_goes_along_though_another_of_that_thread_has_lapsed_unnoticed(
    pool, db, claim, waiting, moves, now
):
    await seeds.put_thread(db, now, "T2")
    async with transaction(pool) as other:
        await claiming.claim(other, Who("bo", Role.AGENT), "mk", "T2", now - 2 * HOUR)
    await claim(now + MINUTE)

    await moves(waiting, now + 2 * MINUTE)

    assert await claims_of(db) == [("T2", "lapsed"), ("T2", None)]


async def test_a_claim_stays_with_what_is_left_in_its_thread(pool, db, claim, waiting, moves, now):
    other = pages.buyer("M2", now - DAY)
    await pages.stored(pool, now - HOUR, other, of=waiting)
    await claim(now + MINUTE)

    await moves(waiting, now + 2 * MINUTE)

    assert await claims_of(db) == [("T1", None)]
