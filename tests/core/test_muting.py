"""A mute: nothing leaves for a while, no clock stops for it, and then all is told at once."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from core import deliver, keys
from core.errors import NotifierError
from core.measuring.facts import Muting
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.muting import holding
from core.routing import Aim, Route, Routing, Subject
from core.running import mutes as lookout
from core.store import dispatches, mutes, notices, stats, transaction
from core.told import Mute
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE

DESK = Route("desk", ("chat",), frozenset({NoticeKind.WARNING, NoticeKind.BREACH}))
NIGHT = Route("night", ("chat", "pager"), frozenset({NoticeKind.BREACH}))
OPS = Route("ops", ("log",), fallback=True)
RULES = seeds.rules(
    DESK, NIGHT, OPS, accounts=("mk", "eb"), of={"mk": ("desk",), "eb": ("desk", "night")}
)


class Chat:
    """A notifier that keeps what it was given; *faults* are raised first, one a call."""

    zone = "UTC"

    def __init__(self, name="chat", *faults, digest_after=0):
        self.name, self.faults, self.digest_after = name, list(faults), digest_after
        self.got = []

    async def send(self, notice, words):
        if self.faults:
            raise self.faults.pop(0)
        self.got.append((notice, words))

    @property
    def keys(self):
        return [notice.key for notice, _ in self.got]


def breach(now, n=1, account="mk", kind=NoticeKind.BREACH, **changes):
    given = {"raised_at": now, "thread": f"T{n}", "clock": n, "due_at": now - MINUTE}
    return Notice(f"{n}/0/2", kind, account, **(given | changes))


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        for account in ("mk", "eb"):
            await seeds.put_account(db, now, account)
        yield db


@pytest.fixture
def raised(pool):
    async def put(*several):
        async with transaction(pool) as db:
            await notices.raise_(db, RULES, several)

    return put


@pytest.fixture
def once(pool, metrics, now):
    async def go(*notifiers):
        named = {each.name: each for each in notifiers}
        return await deliver.once(pool, named, RULES, {}, metrics, now)

    return go


@pytest.fixture
def mute(pool):
    """Mute an account, or a route, for so long."""

    async def put(name="mk", scope="account", lasting=HOUR, reason=None):
        async with transaction(pool) as db:
            at = await db.fetchval("select now() + $1::interval", lasting)
            found, _ = await mutes.put(db, scope, name, at, "mara", reason)
            return found

    return put


@pytest.fixture
def passes(db):
    """Let the end of every mute have come: what was held back is due."""

    async def go():
        async with db.transaction():
            await db.execute(
                "update dispatch d set next_try_at = now() from mute m"
                " where m.id = d.muted_by and d.next_try_at = m.until"
            )
            await db.execute("update mute set until = now() where ended_at is null")

    return go


async def waiting(db):
    sql = """
        select n.key, d.attempts, d.digest, d.muted_by from dispatch d
        join notice n on n.id = d.notice where d.sent_at is null and d.suppressed is null
        order by n.id
    """
    return [tuple(row) for row in await db.fetch(sql)]


def spoken(chat):
    ((told, said),) = chat.got
    return told, said


# What is held back


async def test_nothing_of_a_muted_account_leaves_and_others_are_told_as_ever(
    db, once, raised, mute, now
):
    chat, log = Chat(), Chat("log")
    held = await mute("mk", reason="their whole API is down")
    down = Notice("mk/account_down/x", NoticeKind.ACCOUNT_DOWN, "mk", now)
    await raised(breach(now), breach(now, 2, "eb"), down)

    await once(chat, log)

    assert (chat.keys, log.keys) == (["2/0/2"], [])
    assert await waiting(db) == [
        ("1/0/2", 0, keys.muted("chat", held.id), held.id),
        ("2/0/2", 0, None, None),
        ("mk/account_down/x", 0, keys.muted("log", held.id), held.id),
    ]  # the pager, which did not turn, has the last of them


async def test_a_muted_route_tells_nobody_by_that_way_alone(db, once, raised, mute, now):
    chat, pager = Chat(), Chat("pager")
    await mute("desk", "route")
    warning = breach(now, 3, "eb", NoticeKind.WARNING)
    await raised(breach(now), breach(now, 2, "eb"), warning)

    await once(chat, pager)

    assert chat.keys == ["2/0/2"], "the other route leads there too"
    assert pager.keys == ["2/0/2"]


async def test_a_mute_neither_makes_a_flood_nor_hides_one(db, once, raised, mute, now):
    """What is held back takes nobody else's place among what is told one by one."""
    chat = Chat(digest_after=2)
    await mute("mk")
    await raised(*(breach(now, n) for n in range(1, 30)), breach(now, 40, "eb"))

    await once(chat)

    assert chat.keys == ["40/0/2"]


async def test_what_is_raised_while_a_round_turns_is_held_back_too(
    pool, db, once, raised, mute, now, monkeypatch
):
    await mute("mk")
    claim = dispatches.claim

    async def late(*given):
        await raised(breach(now))
        return await claim(*given)

    monkeypatch.setattr(dispatches, "claim", late)
    chat = Chat()

    await once(chat)

    assert chat.got == []
    assert [(key, attempts) for key, attempts, _, _ in await waiting(db)] == [("1/0/2", 0)]


async def test_no_clock_stops_and_every_breach_is_counted(pool, db, mute, metrics, now):
    """Of two accounts, one of them muted, the same becomes."""
    await mute("mk")
    for account in ("mk", "eb"):
        await seeds.put_thread(db, now, account=account)
        await seeds.put_clock(db, now - HOUR, account=account)
        await seeds.put_stream(db, now, account, seen_through=now)

    await seeds.watched(pool, RULES, now)

    told = await db.fetch("select account, kind from notice order by account")
    assert [(row["account"], row["kind"]) for row in told] == [("eb", "breach"), ("mk", "breach")]
    rows = await db.fetch("select breached_at is not null as counted from clock")
    assert [row["counted"] for row in rows] == [True, True]
    tally = await db.fetch("select account, n from tally where result = 'breached' order by 1")
    assert [tuple(row) for row in tally] == [("eb", 1), ("mk", 1)]


# The end


async def test_what_was_held_back_is_told_as_one_when_the_mute_ends(
    db, once, raised, mute, passes, now, metrics
):
    chat = Chat(digest_after=2)
    held = await mute("mk")
    unsure = Notice("mk/unsure", NoticeKind.WARNING, "mk", now, "T9", 9, now + HOUR)
    await raised(*(breach(now, n) for n in range(1, 6)), unsure)
    await once(chat)
    await passes()

    await once(chat)
    await once(chat)

    told, said = spoken(chat)
    assert (told.key, told.kind) == (keys.muted("chat", held.id), NoticeKind.DIGEST)
    assert dict(told.facts)["notices"] == 6
    assert said.subject == "Held back: 5 late, 1 due soon: Empik PL"
    assert said.text.splitlines()[1] == "6 notices were held back; of these 6 still hold:"
    assert await waiting(db) == []


async def test_other_kinds_are_named_in_the_last_word_and_a_thread_with_them(
    once, raised, mute, passes, now
):
    log = Chat("log")
    await mute("mk")
    await raised(
        Notice("mk/account_down/x", NoticeKind.ACCOUNT_DOWN, "mk", now),
        Notice("m/unknown", NoticeKind.REPLY_UNKNOWN, "mk", now, "T7"),
    )
    await once(log)
    await passes()

    await once(log)

    _, said = spoken(log)
    assert said.subject == "Held back: 2 notices: Empik PL"
    assert "- Account is down: Empik PL\n" in said.text
    assert "- Reply perhaps not sent: Empik PL, thread T7\n" in said.text


async def test_what_befell_the_service_is_nobody_s(once, raised, mute, passes, now):
    log = Chat("log")
    await mute("ops", "route")
    await raised(Notice("service/disk_low/x", NoticeKind.DISK_LOW, "", now))
    await once(log)
    await passes()

    await once(log)

    _, said = spoken(log)
    assert said.subject == "Held back: 1 notice"
    assert said.text.endswith("- Disk nearly full: 0 MiB free")


async def test_what_is_no_longer_true_is_not_told_and_counted(
    pool, db, once, raised, mute, passes, metrics, now
):
    chat = Chat()
    await mute("mk")
    await raised(*(breach(now, n) for n in range(1, 4)))
    await once(chat)
    async with transaction(pool) as other:
        assert await notices.drop(other, [1, 2], "answered") == 2
    await passes()

    await once(chat)
    again = await lookout.once(pool, {"chat"}, metrics, now)

    _, said = spoken(chat)
    lines = said.text.splitlines()
    assert lines[1] == "3 notices were held back; of these 1 still holds:"
    assert lines[2].startswith("2 deadlines were missed and answered or taken back meanwhile")
    assert again is None
    assert suppressed(metrics) == {("chat", "answered"): 2}
    await lookout.once(pool, {"chat"}, metrics, now)
    assert suppressed(metrics) == {("chat", "answered"): 2}, "once for all processes"


def suppressed(metrics):
    return {
        tuple(sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "replyby_notifications_suppressed_total" and sample.value
    }


async def test_a_trouble_that_passed_meanwhile_is_not_told(once, raised, mute, passes, now):
    log = Chat("log")
    await mute("mk")
    await raised(Notice("mk/blind/x", NoticeKind.BLIND, "mk", now))
    await raised(Notice("mk/account_up/x", NoticeKind.ACCOUNT_UP, "mk", now + MINUTE))
    await once(log)
    await passes()

    await once(log)

    assert log.got == []


async def test_unmuting_tells_at_once(pool, db, once, raised, mute, now):
    chat = Chat()
    held = await mute("mk")
    await raised(breach(now), breach(now, 2))
    await once(chat)

    async with transaction(pool) as other:
        ended, n = await mutes.end(other, "account", "mk")
    await once(chat)

    assert (ended.id, n) == (held.id, 2)
    assert spoken(chat)[1].subject.startswith("Held back: 2 late")
    async with transaction(pool) as other:
        assert await mutes.end(other, "account", "mk") is None


async def test_the_end_moves_with_what_was_held_back(pool, db, once, raised, mute, now):
    """Said twice, it is one mute: its end is what was said last, its begin is the first."""
    first = await mute("mk", reason="away")
    await raised(breach(now))
    await once(Chat())

    second = await mute("mk", lasting=3 * HOUR)

    assert (second.id, second.since, second.reason) == (first.id, first.since, "away")
    assert second.until - first.until > HOUR
    assert await db.fetchval("select next_try_at from dispatch where muted_by = $1", first.id) == (
        second.until
    )


async def test_of_two_mutes_the_later_end_holds(db, once, raised, mute, passes, now):
    chat = Chat()
    await mute("mk")
    await raised(breach(now))
    await once(chat)
    longer = await mute("desk", "route", 2 * HOUR)
    await db.execute("update dispatch set next_try_at = now()")
    await db.execute("update mute set until = now() where scope = 'account'")

    await once(chat)
    assert chat.got == []
    assert [row[2:] for row in await waiting(db)] == [(keys.muted("chat", longer.id), longer.id)]
    await passes()
    await once(chat)

    assert [told.key for told, _ in chat.got] == [keys.muted("chat", longer.id)]


# What was tried before


async def test_what_was_tried_before_keeps_the_key_that_its_reader_may_know(
    db, once, raised, mute, passes, now
):
    chat = Chat("chat", NotifierError("no answer in time"))
    await raised(breach(now))
    await once(chat)
    await mute("mk")
    await raised(breach(now, 2))
    await db.execute("update dispatch set next_try_at = now()")

    await once(chat)
    assert chat.got == []
    await passes()
    await once(chat)

    assert chat.keys[0] == "1/0/2"
    assert [said.subject[:17] for _, said in chat.got[1:]] == ["Held back: 1 late"]


async def test_a_digest_that_was_tried_leaves_whole_or_not_at_all(
    db, once, raised, mute, passes, now
):
    """Its reader drops a second one under its key: what stayed behind would be lost."""
    chat = Chat("chat", NotifierError("away"))
    await raised(breach(now), breach(now, 2, "eb"))
    await db.execute("update dispatch set digest = 'chat/flood/1' where notifier = 'chat'")
    await once(chat)
    await mute("mk")
    await db.execute("update dispatch set next_try_at = now()")

    await once(chat)

    assert (chat.keys, dict(chat.got[0][0].facts)["notices"]) == (["chat/flood/1"], 2)


async def test_a_muted_digest_that_was_tried_is_held_back_whole(
    db, once, raised, mute, passes, now
):
    chat = Chat("chat", NotifierError("away"))
    await raised(breach(now), breach(now, 2))
    await db.execute("update dispatch set digest = 'chat/flood/1'")
    await once(chat)
    await mute("mk")
    await db.execute("update dispatch set next_try_at = now()")

    await once(chat)
    assert chat.got == []
    await passes()
    await once(chat)

    assert chat.keys == ["chat/flood/1"]


async def test_what_was_tried_and_is_held_back_slows_nobody_else(
    db, once, raised, mute, passes, now
):
    """A digest that was refused, and then muted with its account: the next is told as ever."""
    chat = Chat("chat", *[NotifierError("away")] * 3, digest_after=1)
    await raised(*(breach(now, n) for n in range(1, 4)))
    await once(chat)
    await db.execute("update dispatch set next_try_at = now()")
    await once(chat)
    assert {bool(digest) for _, attempts, digest, _ in await waiting(db) if attempts} == {
        True, False,
    }  # fmt: skip
    await mute("mk")
    await db.execute("update dispatch set next_try_at = now() where notifier = 'chat'")
    await once(chat)
    await once(chat)
    assert chat.got == []

    await raised(breach(now, 9, "eb"))
    await once(chat)

    assert chat.keys == ["9/0/2"]


# Two daemons, and one that dies


async def test_two_daemons_tell_the_end_once(pool, raised, mute, passes, metrics, now):
    """Each with a notifier of its own name-sake; whoever is first, it leaves under one key."""
    ones = [Chat(digest_after=2), Chat(digest_after=2)]
    await mute("mk")
    await raised(*(breach(now, n) for n in range(1, 40)))

    async def turn(chat):
        return await deliver.once(pool, {"chat": chat}, RULES, {}, metrics, now)

    for _ in range(3):
        await asyncio.gather(*map(turn, ones))
    assert [chat.got for chat in ones] == [[], []]
    await passes()
    for _ in range(3):
        await asyncio.gather(*map(turn, ones))

    told = [notice for chat in ones for notice, _ in chat.got]
    assert [dict(notice.facts)["notices"] for notice in told] == [39]


async def test_who_dies_at_the_end_loses_nothing_and_tells_under_the_same_key(
    pool, db, once, raised, mute, passes, now, metrics
):
    """Killed just after it was claimed, and killed just after it left: at least once, one key."""

    class Killed(BaseException): ...

    class Dying(Chat):
        async def send(self, notice, words):
            await super().send(notice, words)
            raise Killed

    held = await mute("mk")
    await raised(*(breach(now, n) for n in range(1, 4)))
    await once(Chat())
    await passes()
    dying, chat = Dying(), Chat()

    with pytest.raises(Killed):
        await once(dying)
    await once(chat)
    assert chat.got == [], "the lease of the one that died still runs"
    await db.execute("update dispatch set next_try_at = now()")
    await once(chat)

    assert (dying.keys, chat.keys) == ([keys.muted("chat", held.id)],) * 2
    assert dict(chat.got[0][0].facts)["notices"] == 3


async def test_lifting_waits_for_who_just_holds_something_back(pool, db, raised, mute, now):
    """Else what was held back by the mute as it was would wait for an end that is past."""
    await mute("mk", lasting=30 * 24 * HOUR)
    await raised(breach(now))
    lifted = asyncio.Event()

    async def lift():
        async with transaction(pool) as other:
            assert (await mutes.end(other, "account", "mk"))[1] == 1
        lifted.set()

    async with transaction(pool) as holding_back:
        (standing,) = await mutes.shared(holding_back)
        lifting = asyncio.create_task(lift())
        await asyncio.sleep(0.2)
        assert not lifted.is_set()
        await mutes.hold_due(holding_back, "chat", {("mk", NoticeKind.BREACH, ()): standing})
    await lifting

    assert await db.fetchval("select next_try_at <= now() from dispatch")


async def test_one_process_says_that_it_begins_and_ends(pool, mute, passes, metrics, now):
    with capture_logs() as said:
        await mute("mk", reason="words that a log does not need")
        for _ in range(2):
            await lookout.once(pool, {"chat"}, metrics, now)
        await passes()
        await asyncio.gather(*(lookout.once(pool, {"chat"}, metrics, now) for _ in range(2)))

    assert [(line["event"], line["log_level"]) for line in said] == [
        ("muted", "warning"), ("mute ended", "info"),
    ]  # fmt: skip
    assert "words" not in str(said)


# What is seen of it


async def test_a_muted_notifier_is_not_stuck(pool, db, once, raised, mute, passes, now):
    """Held back is not pending; what waits since the mute's end waits since then and no longer."""
    await mute("mk")
    await raised(breach(now - 5 * HOUR), breach(now, 2, "eb"))
    await once(Chat("chat", NotifierError("away")))

    async with transaction(pool) as other:
        seen = await stats.snapshot(other, now)
    assert (seen.outbox["chat"].pending, seen.outbox["chat"].muted) == (1, 1)
    assert seen.outbox["chat"].oldest == now.timestamp()
    ((since, until),) = await db.fetch("select since, until from mute")
    assert seen.muted == {("account", "mk"): Muting(since.timestamp(), until.timestamp())}
    await passes()
    await db.execute("delete from dispatch where muted_by is null")
    async with transaction(pool) as other:
        seen = await stats.snapshot(other, now)

    assert (seen.outbox["chat"].pending, seen.outbox["chat"].muted) == (1, 0)
    assert seen.outbox["chat"].oldest == (await db.fetchval("select until from mute")).timestamp()
    assert seen.muted == {}


async def test_the_delay_of_a_notice_leaves_out_what_it_was_muted_for(
    once, raised, mute, passes, now, metrics
):
    await mute("mk")
    await raised(breach(now - 20 * HOUR))
    await once(Chat())
    await passes()

    await once(Chat())

    (sample,) = [
        sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "replyby_notification_delay_seconds_sum"
    ]
    assert sample < HOUR.total_seconds()


# Which mute it is. Pure


def muted(scope, name, now, lasting=HOUR, number=1):
    return Mute(number, scope, name, now, now + lasting, "mara")


def test_a_route_that_is_not_muted_leads_there_still(now):
    routing = RULES.routing
    desk, night = muted("route", "desk", now), muted("route", "night", now, 2 * HOUR, 2)
    kind = NoticeKind.BREACH

    assert holding([desk], routing, "mk", kind, "chat") == desk
    assert holding([desk], routing, "eb", kind, "chat") is None
    assert holding([desk, night], routing, "eb", kind, "chat") == desk, "until the first opens"
    assert holding([desk, night], routing, "eb", kind, "pager") == night
    assert holding([muted("account", "eb", now)], routing, "mk", kind, "chat") is None


def test_a_correction_goes_the_way_that_the_breach_went(now):
    """No route names its kind, and it is told to whoever was told the breach."""
    assert RULES.routing.told(Subject(NoticeKind.CORRECTED, "mk"), now) == (Aim("log"),)
    assert RULES.routing.ways("mk", NoticeKind.CORRECTED, "chat") == ("desk",)
    desk = muted("route", "desk", now)
    assert holding([desk], RULES.routing, "mk", NoticeKind.CORRECTED, "chat") == desk


def test_what_comes_by_no_route_at_all_is_not_muted(now):
    routing = Routing({}, {})

    assert holding([muted("route", "desk", now)], routing, "mk", NoticeKind.BREACH, "chat") is None
