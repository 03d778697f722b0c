"""A notice climbs its ladder until somebody acts; each rung is told once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from core import deliver
from core.access import Role, Who
from core.desk import claiming, escalating
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.people.ladders import Ladder, Rung
from core.store import accounts, dispatches, escalations, mutes, notices, transaction
from tests.core import climbing, pages, seeds
from tests.core.climbing import KNOWN, LADDER
from tests.core.seeds import HOUR, MINUTE, SECOND

ANNA = Who("anna", Role.AGENT)
FIRST, SECOND_RUNG = (1, "mail-lea"), (2, "mail-boss")


@pytest.fixture
async def db(pool, now):
    """A thread whose buyer has been waiting for a day and a minute: the deadline has passed."""
    await pages.monitored(pool, now - 30 * 24 * HOUR)
    asked = pages.buyer("M1", now - 24 * HOUR - MINUTE)
    await pages.stored(pool, now - 25 * HOUR, pages.thread(as_of=now), of=climbing.rules())
    await pages.stored(pool, now - 24 * HOUR, asked, of=climbing.rules())
    async with pool.acquire() as db:
        await db.execute("update account set first_walk_at = monitored_since")
        yield db


@pytest.fixture
def breached(pool, db, now):
    """Tell the breach at *now*: from then on it climbs."""

    async def go(rules=None):
        await seeds.watched(pool, rules or climbing.rules(), now)

    return go


@pytest.fixture
def once(pool, db):
    async def go(at, rules=None, *, known=KNOWN, sure=True):
        return await escalating.once(pool, rules or climbing.rules(), known, at, sure=sure)

    return go


@pytest.fixture
def claim(pool, db):
    async def go(at, who=ANNA):
        async with transaction(pool) as other:
            return await claiming.claim(other, who, "mk", "T1", at)

    return go


async def answered(pool, at, **how):
    return await pages.stored(pool, at, pages.seller("S1", at), of=climbing.rules(), **how)


def test_rungs_are_waited_for_one_after_another_and_the_last_repeats_ever_more_rarely():
    repeating = replace(LADDER, repeat=HOUR)

    waits = [escalating.wait(repeating, told) for told in range(13)]

    assert waits == [
        15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR,
        24 * HOUR, 24 * HOUR, 24 * HOUR, 24 * HOUR, 24 * HOUR, None,
    ]  # fmt: skip
    assert escalating.wait(LADDER, 2) is None
    assert escalating.targets(repeating, 9) == ("person:boss",)


async def test_nobody_acts_so_one_rung_after_the_other_is_told(db, breached, once, now):
    await breached()

    assert await once(now + 15 * MINUTE) == now + 15 * MINUTE + SECOND / 1_000_000
    assert await climbing.told(db) == []
    await once(now + 15 * MINUTE + SECOND)
    assert await climbing.told(db) == [FIRST]
    again = await once(now + 20 * MINUTE)
    assert again > now + 45 * MINUTE
    await once(again + SECOND)
    assert await climbing.told(db) == [FIRST, SECOND_RUNG]
    assert await once(now + 90 * MINUTE) is None
    assert await climbing.standing(db) == [(2, "exhausted")]


async def test_a_route_without_a_ladder_climbs_nothing(db, breached, once, now):
    rules = climbing.rules(None)
    await breached(rules)

    assert await once(now + HOUR, rules) is None
    assert await climbing.standing(db) == []


async def test_two_daemons_tell_each_rung_once(pool, db, breached, once, now):
    await breached()

    for at in (now + 16 * MINUTE, now + 47 * MINUTE):
        await asyncio.gather(*(once(at) for _ in range(4)))

    assert await climbing.told(db) == [FIRST, SECOND_RUNG]


async def test_what_is_cut_off_while_it_is_told_was_not_told_and_is_by_the_next(
    pool, db, breached, once, now
):
    """The step and the notice stand or fall together."""
    await breached()
    await db.execute("alter table dispatch add constraint full_disk check (notifier <> 'mail-lea')")
    with pytest.raises(Exception, match="full_disk"):
        await once(now + 16 * MINUTE)
    assert await climbing.standing(db) == [(0, None)]

    await db.execute("alter table dispatch drop constraint full_disk")
    await once(now + 16 * MINUTE)

    assert await climbing.told(db) == [FIRST]


async def test_after_hours_without_a_daemon_one_rung_is_told_and_the_next_has_its_time(
    db, breached, once, now
):
    await breached()
    late = now + 10 * HOUR

    for at in (late, late + SECOND, late + 29 * MINUTE):
        await once(at)
    assert await climbing.told(db) == [FIRST]
    await once(late + 31 * MINUTE)
    assert await climbing.told(db) == [FIRST, SECOND_RUNG]


async def test_an_answer_ends_the_ladder_with_the_clock(pool, db, breached, once, now):
    await breached()

    await answered(pool, now + MINUTE)

    assert await climbing.standing(db) == [(0, "answered")]
    assert await once(now + HOUR) is None
    assert await climbing.told(db) == []


async def test_what_was_told_and_has_not_left_is_dropped_with_the_answer(
    pool, db, breached, once, now
):
    await breached()
    await once(now + 16 * MINUTE)

    await answered(pool, now + 17 * MINUTE)

    assert [row for row in await seeds.dispatches(db) if row[1] == "mail-lea"] == [
        (f"{await first_notice(db)}/escalation/late/1", "mail-lea", "answered")
    ]


async def first_notice(db):
    return await db.fetchval("select notice from escalation")


async def test_an_answer_that_is_refused_later_climbs_anew(pool, db, breached, once, now):
    await breached()
    await answered(pool, now + MINUTE)
    refused = pages.seller("S1", now + MINUTE, delivery="refused")
    await pages.stored(pool, now + 2 * MINUTE, refused, of=climbing.rules())

    await once(now + 2 * MINUTE + 16 * MINUTE)

    assert await climbing.standing(db) == [(0, "answered"), (1, None)]
    assert await climbing.told(db) == [FIRST]


async def test_a_claim_holds_the_ladder_and_then_it_goes_on_one_rung_further(
    db, breached, once, claim, now
):
    await breached()
    held = await claim(now + 14 * MINUTE)
    assert held.until == now + 19 * MINUTE

    again = await once(now + 16 * MINUTE)
    assert await climbing.told(db) == []
    assert again == held.until
    again = await once(held.until + SECOND)
    assert await climbing.told(db) == [FIRST]
    assert again == held.until + SECOND + 30 * MINUTE


async def test_several_rungs_that_pass_under_one_claim_are_told_one_by_one(
    pool, db, breached, once, claim, now
):
    await breached()
    held = await claim(now)
    await db.execute("update claim set until = $1", now + 3 * HOUR)

    await once(now + 2 * HOUR)
    assert await climbing.told(db) == []
    await once(now + 3 * HOUR + SECOND)
    await once(now + 3 * HOUR + 29 * MINUTE)
    assert await climbing.told(db) == [FIRST]
    assert held.by == "anna"


async def test_what_is_given_back_climbs_on_at_once(pool, db, breached, once, claim, now):
    await breached()
    await claim(now + 14 * MINUTE)
    await once(now + 16 * MINUTE)
    async with transaction(pool) as other:
        await claiming.release(other, ANNA, "mk", "T1", now + 17 * MINUTE)

    await once(now + 17 * MINUTE)

    assert await climbing.told(db) == [FIRST]


class Mail:
    """A notifier that keeps the keys of what it was told."""

    zone, digest_after = "UTC", 2

    def __init__(self, name):
        self.name, self.got = name, []

    async def send(self, notice, words):
        self.got.append((notice.kind, words.subject))


@pytest.fixture
def send(pool):
    """What leaves by *notifier* at an instant."""

    async def go(at, name="mail-lea"):
        mail = Mail(name)
        await deliver.once(pool, {name: mail}, climbing.rules(), {}, Metrics(), at)
        return mail.got

    return go


async def test_a_rung_leaves_and_says_that_nobody_has_acted(db, breached, once, send, now):
    await breached()
    await once(now + 16 * MINUTE)

    told = [(NoticeKind.ESCALATION, "Still open: Reply overdue: Empik PL")]
    assert await send(now + 16 * MINUTE) == told


@pytest.mark.parametrize("claimed", [0, 1])
async def test_a_rung_that_has_not_left_waits_for_the_end_of_a_claim(
    pool, db, breached, once, claim, send, now, claimed
):
    """Also where a process that died had it in its hands."""
    await breached()
    await once(now + 16 * MINUTE)
    await db.execute("update dispatch set attempts = $1 where notifier = 'mail-lea'", claimed)
    held = await claim(now + 16 * MINUTE)

    assert await send(now + 17 * MINUTE) == []
    assert await climbing.waits(db) == [("mail-lea", held.until)]
    await db.execute("update dispatch set next_try_at = now() where notifier = 'mail-lea'")
    assert len(await send(held.until)) == 1


async def test_a_rung_that_may_have_been_heard_waits_for_a_claim_and_keeps_its_key(
    db, breached, once, claim, send, now
):
    await breached()
    await once(now + 16 * MINUTE)
    await db.execute("update dispatch set attempts = 1 where notifier = 'mail-lea'")
    await claim(now + 16 * MINUTE)

    assert await send(now + 17 * MINUTE) == []

    sql = "select attempts, digest from dispatch where notifier = 'mail-lea'"
    assert tuple(await db.fetchrow(sql)) == (1, None)


async def test_a_rung_that_left_in_a_digest_leaves_with_it_again_whatever_is_claimed(
    db, breached, once, claim, send, now
):
    """Taken out of it, it would be told a second time under another key."""
    await breached()
    await once(now + 16 * MINUTE)
    sql = "update dispatch set attempts = 1, digest = $1, next_try_at = now() where notifier = $2"
    await db.execute(sql, "mail-lea/flood/1", "mail-lea")
    await claim(now + 16 * MINUTE)

    assert [kind for kind, _ in await send(now + 17 * MINUTE)] == [NoticeKind.DIGEST]


async def test_a_rung_that_waits_for_a_claim_is_dropped_by_the_answer(
    pool, db, breached, once, claim, send, now
):
    await breached()
    await once(now + 16 * MINUTE)
    await claim(now + 16 * MINUTE)
    await send(now + 17 * MINUTE)

    await answered(pool, now + 18 * MINUTE)

    assert ("mail-lea", "answered") in [row[1:] for row in await seeds.dispatches(db)]


@pytest.mark.parametrize("claimed", [0, 1])
async def test_a_rung_that_waits_for_a_claim_leaves_when_that_is_given_back(
    pool, db, breached, once, claim, send, now, claimed
):
    """Also where a process that died had it in its hands; the database's clock says what waits."""
    await breached()
    await once(now + 16 * MINUTE)
    await db.execute("update dispatch set attempts = $1 where notifier = 'mail-lea'", claimed)
    held = await claim(now + 16 * MINUTE)
    await send(now + 17 * MINUTE)
    assert await climbing.waits(db) == [("mail-lea", held.until)]
    sql = "update dispatch set next_try_at = now() + interval '1 h' where notifier = 'mail-lea'"
    await db.execute(sql)
    async with transaction(pool) as other:
        await claiming.release(other, ANNA, "mk", "T1", now + 18 * MINUTE)

    assert len(await send(now + 18 * MINUTE)) == 1


async def test_a_rung_that_is_just_leaving_is_not_let_go_of_by_the_end_of_a_claim(
    pool, db, breached, once, claim, now
):
    await breached()
    await once(now + 16 * MINUTE)
    async with transaction(pool) as other:
        (leaving,) = await dispatches.claim(other, "mail-lea", 1)
    await claim(now + 16 * MINUTE)
    async with transaction(pool) as other:
        await claiming.release(other, ANNA, "mk", "T1", now + 18 * MINUTE)

    assert await climbing.waits(db) == [("mail-lea", leaving.next_try_at)]


async def test_a_rung_whose_notice_climbs_no_more_does_not_leave(db, breached, once, send, now):
    await breached()
    await once(now + 16 * MINUTE)
    await db.execute("update escalation set ended = 'moved', ended_at = now()")

    assert await send(now + 17 * MINUTE) == []
    assert ("mail-lea", "over") in [row[1:] for row in await seeds.dispatches(db)]


async def test_while_the_hosts_clock_is_not_believed_no_rung_is_told(db, breached, once, now):
    await breached()

    assert await once(now + HOUR, sure=False) is None
    assert await climbing.told(db) == []


async def test_what_is_due_under_another_deadline_climbs_no_more(pool, db, breached, once, now):
    await breached()
    await db.execute("update clock set revision = revision + 1")

    await once(now + 16 * MINUTE)

    assert await climbing.standing(db) == [(0, "moved")]
    assert await climbing.told(db) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("ended = 'met', stopped_at = now()", "answered"),
        ("ended = 'late', stopped_at = now()", "answered"),
        ("ended = 'void', reason = 'decided', stopped_at = now()", "answered"),
        ("ended = 'void', reason = 'gone', stopped_at = now()", "ended"),
        ("steps = '{}'", "ended"),
    ],
)
async def test_what_ended_behind_its_back_ends_when_a_rung_is_due(
    db, breached, once, now, change, why
):
    await breached()
    await db.execute(f"update clock set {change}")

    await once(now + 16 * MINUTE)

    assert await climbing.standing(db) == [(0, why)]
    assert await climbing.told(db) == []


async def test_a_clock_that_just_changes_is_not_waited_for(pool, db, breached, once, now):
    """Whoever stores an answer holds the clock, and then wants the escalation: no deadlock."""
    await breached()
    async with pool.acquire() as other:
        change = other.transaction()
        await change.start()
        await other.execute("update clock set ended = 'met', stopped_at = now()")
        again = await asyncio.wait_for(once(now + 16 * MINUTE), 10)
        assert again == now + 16 * MINUTE + SECOND
        await asyncio.wait_for(
            other.execute("update escalation set ended = 'answered', ended_at = now()"), 10
        )
        await change.commit()

    assert await climbing.told(db) == []


async def test_a_second_notice_of_a_clock_that_climbs_already_begins_no_second_ladder(
    pool, db, breached, once, now
):
    await breached()
    number = await db.fetchval("select clock from escalation")
    moved = Notice(
        f"{number}/0/moved", NoticeKind.DEADLINE_MOVED, "mk", now + MINUTE,
        thread="T1", clock=number, due_at=now,
    )  # fmt: skip
    async with transaction(pool) as other:
        await notices.raise_(other, climbing.rules(), [moved])

    assert await climbing.standing(db) == [(0, None)]


async def raised(pool, kind, at, account="mk", rules=None):
    async with transaction(pool) as db:
        one = Notice(f"{account}/{kind.value}/{at.isoformat()}", kind, account, at)
        await notices.raise_(db, rules or climbing.rules(), [one])
        return await db.fetchval("select id from notice where key = $1", one.key)


@pytest.mark.parametrize(
    ("trouble", "end"),
    [
        (NoticeKind.ACCOUNT_DOWN, NoticeKind.ACCOUNT_UP),
        (NoticeKind.BLIND, NoticeKind.ACCOUNT_UP),
        (NoticeKind.PUSH_SILENT, NoticeKind.PUSH_HEARD),
        (NoticeKind.BLIND, NoticeKind.ACCOUNT_RETIRED),
    ],
)
async def test_a_trouble_climbs_until_its_end_is_told(pool, db, once, now, trouble, end):
    await raised(pool, trouble, now)
    await once(now + 16 * MINUTE)
    assert await climbing.told(db) == [FIRST]

    await raised(pool, end, now + 20 * MINUTE)
    await once(now + HOUR)

    assert await climbing.told(db) == [FIRST]
    assert await climbing.standing(db) == [(1, "over")]


async def test_a_trouble_climbs_until_somebody_acknowledges_it(pool, db, once, now):
    number = await raised(pool, NoticeKind.ACCOUNT_DOWN, now)
    await once(now + 16 * MINUTE)

    async with transaction(pool) as other:
        assert await escalations.acknowledge(other, "mk", number, "lea", now + 17 * MINUTE) == 1
        assert await escalations.acknowledge(other, "mk", number, "lea", now + 17 * MINUTE) == 0

    assert await once(now + HOUR) is None
    assert await climbing.standing(db) == [(1, "acknowledged")]
    assert [state for _, to, state in await seeds.dispatches(db) if to == "mail-lea"] == ["over"]


@pytest.mark.parametrize("kind", [NoticeKind.TEST, NoticeKind.ACCOUNT_UP, NoticeKind.PARKED])
async def test_what_nobody_can_say_is_over_does_not_climb(pool, db, now, kind):
    await raised(pool, kind, now)

    assert await climbing.standing(db) == []


async def test_a_mute_holds_the_ladder_and_gives_the_rung_its_time_after_it(
    pool, db, breached, once, now
):
    """Nobody was told while it was muted, so nobody can have acted."""
    for scope, name in (("account", "mk"), ("route", "desk")):
        await db.execute("delete from escalation")
        await db.execute("delete from notice")
        await db.execute("update alarm set kind = 'breach', step = 0")
        await breached()
        await db.execute(
            "insert into mute (scope, name, since, until, by) values ($1, $2, $3, $4, 'mara')",
            scope, name, now, now + 2 * HOUR,
        )  # fmt: skip

        again = await once(now + HOUR)
        assert again == now + 2 * HOUR + 15 * MINUTE
        assert await climbing.told(db) == []
        await once(again + SECOND)
        assert await climbing.told(db) == [FIRST]


async def test_a_mute_that_is_lifted_early_holds_no_longer(pool, db, breached, once, now):
    await breached()
    await db.execute(
        "insert into mute (scope, name, since, until, by, ended_at)"
        " values ('account', 'mk', $1, $2, 'mara', $3)",
        now, now + 9 * HOUR, now + 20 * MINUTE,
    )  # fmt: skip

    assert await once(now + 30 * MINUTE) == now + 35 * MINUTE
    await once(now + 36 * MINUTE)

    assert await climbing.told(db) == [FIRST]
    async with transaction(pool) as other:
        assert await mutes.standing(other) == []


async def test_after_a_restore_no_rung_is_told_before_the_account_was_read(
    pool, db, breached, once, now
):
    await breached()
    at = now + HOUR
    await db.execute("update account set restored_at = $1, first_walk_at = null", at)

    again = await once(at + MINUTE)
    assert (again, await climbing.told(db)) == (at + MINUTE + SECOND, [])

    await db.execute("update account set first_walk_at = $1", at + 2 * MINUTE)
    await once(at + 2 * MINUTE)
    assert await climbing.told(db) == [FIRST]


async def test_a_ladder_stands_as_it_was_when_it_began_and_people_as_they_are_now(
    db, breached, once, now
):
    """A reload moves no ladder that climbs; who is meant by it is who is there when it is told."""
    await breached()
    other = Ladder("late", (Rung(MINUTE, ("person:boss",)),))
    people = {"lea": replace(climbing.PEOPLE["lea"], notifiers=("log",))}

    await once(now + 2 * MINUTE, climbing.rules(other, people=people))
    assert await climbing.told(db) == []
    await once(now + 16 * MINUTE, climbing.rules(other, people=people))
    assert await climbing.told(db) == [(1, "log")]


async def test_a_rung_that_reaches_nobody_is_told_to_the_fallback(db, breached, once, now):
    await breached()
    await once(now + 16 * MINUTE, climbing.rules(people={}))
    await once(now + 50 * MINUTE, known=frozenset({"log"}))

    assert await climbing.told(db) == [(1, "log"), (2, "log")]


async def test_an_account_that_is_retired_climbs_no_more(pool, db, breached, once, now):
    await breached()
    async with transaction(pool) as other:
        await accounts.sync(other, [pages.setup("eb", budget="other")], now + MINUTE)

    await once(now + 16 * MINUTE)

    assert await climbing.standing(db) == [(0, "ended")]


async def test_it_is_counted_by_rung_and_forgotten_after_a_while(pool, db, breached, once, now):
    await breached()
    async with transaction(pool) as other:
        assert await escalations.running(other) == {0: 1}
    await once(now + 16 * MINUTE)
    async with transaction(pool) as other:
        assert await escalations.running(other) == {1: 1}
    at = now + 17 * MINUTE
    await answered(pool, at)
    async with transaction(pool) as other:
        assert await escalations.running(other) == {}
        assert await escalations.purge(other, at) == 0
        assert await escalations.purge(other, at + SECOND) == 1
