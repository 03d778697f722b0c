"""Quiet hours on the way out: what waits, what passes, and how it leaves when they end."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from core import deliver, keys, loops
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.routing import Route, Routing, Subject
from core.rules import Rules
from core.store import digests, mutes, notices, stats, transaction
from core.store.stats import Outbox
from sla.calendar import Calendar, Span
from tests.core import seeds
from tests.core.people import directory, duty, hours, person, team
from tests.core.seeds import HOUR, MINUTE
from tests.core.test_muting import Chat

BREACH, WARNING = NoticeKind.BREACH, NoticeKind.WARNING


def at(instant):
    return time(instant.hour, instant.minute)


@pytest.fixture
def now():
    """The database's own time says when something is due: quiet hours lie around it."""
    return loops.utcnow().replace(second=0, microsecond=0)


@pytest.fixture
def ends(now):
    return now + 2 * HOUR


@pytest.fixture
def rules(now, ends):
    """Anna is quiet now but for second warnings, the lead but for breaches; Bo never is."""
    quiet = Calendar("UTC", dict.fromkeys(range(7), (Span(at(now - HOUR), at(ends)),)))
    who = directory(
        person("anna", "anna", quiet=quiet, passes=frozenset({2})),
        person("lead", "lead", quiet=quiet, passes=frozenset({BREACH})),
        person("bo", "bo"),
        teams=[team("desk", "anna", "bo")],
        duties=[duty("none", "person:anna", (hours("UTC"), ()))],
    )
    routes = (
        Route("anna", (), tell=("person:anna",)),
        Route("lead", (), tell=("person:lead",)),
        Route("desk", (), tell=("team:desk",)),
        Route("german", (), tell=("person:bo",), languages=("de",)),
        Route("duty", (), tell=("duty:none",)),
        Route("ops", ("log",), fallback=True),
    )
    of = {"mk": ("anna",), "eb": ("lead",), "am": ("desk",), "de": ("german",), "du": ("duty",)}
    return Rules(
        accounts={name: seeds.account(name) for name in of},
        policies={name: (seeds.policy(),) for name in of},
        routing=Routing({route.name: route for route in routes}, of, who),
    )


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        for account in ("mk", "eb", "am", "de", "du"):
            await seeds.put_account(db, now, account)
        yield db


@pytest.fixture
def metrics():
    made = Metrics()
    made.duties.adopt(["none"])
    return made


@pytest.fixture
def raised(pool, rules):
    async def put(*several):
        async with transaction(pool) as db:
            await notices.raise_(db, rules, several)

    return put


@pytest.fixture
def once(pool, rules, metrics, now):
    async def go(*notifiers, later=timedelta(0)):
        named = {each.name: each for each in notifiers}
        return await deliver.once(pool, named, rules, {}, metrics, now + later)

    return go


@pytest.fixture
def passes(db):
    """Let the end of the quiet hours have come: what waits is due."""

    async def go():
        sql = "update dispatch set next_try_at = now() where split_part(digest, '/', 2) = 'quiet'"
        await db.execute(sql)

    return go


def told(now, n=1, account="mk", kind=BREACH, step=3):
    due_at = now - MINUTE if kind is BREACH else now + MINUTE
    return Notice(f"{n}/0/{step}", kind, account, now, f"T{n}", n, due_at)


async def waiting(db):
    sql = (
        "select n.key, d.notifier, d.digest, d.attempts, d.next_try_at, d.ways from dispatch d"
        " join notice n on n.id = d.notice where d.sent_at is null and d.suppressed is null"
        " order by n.id, d.notifier"
    )
    return [tuple(row) for row in await db.fetch(sql)]


async def test_what_reaches_somebody_who_is_quiet_waits_for_the_end(db, once, raised, now, ends):
    anna = Chat("anna")
    await raised(told(now), told(now, 2, kind=WARNING, step=1))

    again = await once(anna)

    assert anna.got == []
    digest = keys.quiet("anna", ends)
    assert await waiting(db) == [
        ("1/0/3", "anna", digest, 0, ends, ["anna/anna"]),
        ("2/0/1", "anna", digest, 0, ends, ["anna/anna"]),
    ]
    assert again is not None


async def test_what_is_let_pass_is_told_at_once(once, raised, now):
    anna, lead = Chat("anna"), Chat("lead")
    await raised(
        told(now, 1, kind=WARNING, step=2), told(now, 2, kind=WARNING, step=1), told(now, 3, "eb")
    )

    await once(anna, lead)

    assert (anna.keys, lead.keys) == (["1/0/2"], ["3/0/3"])


async def test_it_leaves_as_one_message_that_says_since_when_it_waited(
    db, once, raised, passes, now, ends
):
    anna = Chat("anna", digest_after=2)
    down = Notice("mk/account_down/x", NoticeKind.ACCOUNT_DOWN, "mk", now)
    await raised(told(now), told(now, 2, kind=WARNING, step=1), down)
    await once(anna)
    await passes()

    await once(anna, later=2 * HOUR)
    await once(anna, later=2 * HOUR)

    ((notice, said),) = anna.got
    assert (notice.kind, notice.key) == (NoticeKind.DIGEST, keys.quiet("anna", ends))
    assert said.subject == "After quiet hours: 1 late, 1 due soon, 1 more: Empik PL"
    assert said.text.startswith("3 notices since ")
    assert "waited for the end of your quiet hours." in said.text
    assert await waiting(db) == []


class Brief(Chat):
    """Whose messages are cut."""

    most = 2000


async def test_what_no_list_shows_leaves_room_for_the_deadlines_beside_it(
    once, raised, passes, now
):
    """What a message has no place for leaves in the next."""
    anna = Brief("anna", digest_after=2)
    doubts = [Notice(f"R{n}/unknown", NoticeKind.REPLY_UNKNOWN, "mk", now, f"R{n}")
              for n in range(40)]  # fmt: skip
    await raised(*doubts, *(told(now, n) for n in range(1, 11)))
    await once(anna)
    await passes()

    for _ in range(9):
        await once(anna, later=2 * HOUR)

    texts = [said.text for _, said in anna.got]
    assert len(texts) > 1
    assert all(len(text) <= anna.most for text in texts)
    assert all(f"thread {one.thread}" in "\n".join(texts) for one in doubts)
    assert "What to do" in texts[0]


async def test_one_alone_leaves_as_what_it_is(once, raised, passes, now):
    anna = Chat("anna", digest_after=2)
    await raised(told(now))
    await once(anna)
    await passes()

    await once(anna, later=2 * HOUR)

    assert [(notice.kind, notice.key) for notice, _ in anna.got] == [(BREACH, "1/0/3")]


async def test_what_was_answered_meanwhile_is_dropped(pool, once, raised, passes, now):
    anna = Chat("anna")
    await raised(told(now), told(now, 2))
    await once(anna)
    async with transaction(pool) as other:
        assert await notices.drop(other, [1], "answered") == 1
    await passes()

    await once(anna, later=2 * HOUR)

    assert anna.keys == ["2/0/3"]


async def test_a_mute_that_ends_in_quiet_hours_wakes_nobody(db, pool, once, raised, now, ends):
    """It was raised while she was told still, and held back by the mute alone."""
    anna = Chat("anna")
    await raised(told(now))
    await db.execute("update dispatch set digest = null, next_try_at = now()")
    async with transaction(pool) as other:
        until = await other.fetchval("select now() + interval '1 hour'")
        await mutes.put(other, "account", "mk", until, "mara", None)
    await once(anna)
    async with transaction(pool) as other:
        await mutes.end(other, "account", "mk")

    await once(anna)

    assert anna.got == []
    assert [row[1:5] for row in await waiting(db)] == [("anna", keys.quiet("anna", ends), 0, ends)]


async def test_what_was_tried_before_quiet_hours_is_not_held_back_by_them(db, once, raised, now):
    """Its reader may have it already, under its own key."""
    anna = Chat("anna")
    await raised(told(now))
    await db.execute(
        "update dispatch set digest = null, attempts = 1, error = 'no answer', next_try_at = now()"
    )

    await once(anna)

    assert anna.keys == ["1/0/3"]


@pytest.fixture
def died(db):
    """A process had it in its hands in the evening, and died: told or not, nothing is written."""

    async def go(digest=None):
        sql = "update dispatch set digest = $1, attempts = 1, next_try_at = now()"
        await db.execute(sql, digest)

    return go


async def morning(db, once, *notifiers):
    await db.execute("update dispatch set next_try_at = now()")
    for _ in range(3):
        await once(*notifiers, later=2 * HOUR)


async def test_what_was_only_claimed_when_its_process_died_is_asked_again(
    db, once, raised, died, now, ends
):
    """It wakes nobody because it was in somebody's hands in the evening."""
    anna = Chat("anna")
    await raised(told(now))
    await died()

    await once(anna)

    assert anna.got == []
    assert [row[1:5] for row in await waiting(db)] == [("anna", None, 1, ends)]


async def test_what_may_have_been_heard_before_quiet_hours_leaves_after_them_under_its_key(
    db, once, raised, died, now, ends
):
    """Whoever was told it by the process that died knows it by that."""
    anna = Chat("anna", digest_after=2)
    down = Notice("mk/account_down/x", NoticeKind.ACCOUNT_DOWN, "mk", now)
    await raised(told(now), down)
    await died()
    await raised(told(now, 2), told(now, 3))
    await once(anna)
    assert anna.got == []

    await morning(db, once, anna)

    assert sorted(anna.keys) == ["1/0/3", keys.quiet("anna", ends), "mk/account_down/x"]


async def test_whoever_may_have_heard_of_a_trouble_before_quiet_hours_hears_of_its_end(
    db, once, raised, died, now
):
    anna = Chat("anna")
    await raised(Notice("mk/account_down/x", NoticeKind.ACCOUNT_DOWN, "mk", now))
    await died()
    await once(anna)
    await raised(Notice("mk/account_up/x", NoticeKind.ACCOUNT_UP, "mk", now))

    await morning(db, once, anna)

    assert anna.keys == ["mk/account_up/x"]


async def test_a_breach_that_may_have_been_heard_before_quiet_hours_is_taken_back(
    pool, db, once, raised, died, now
):
    anna = Chat("anna")
    await raised(told(now))
    await died()
    await once(anna)
    async with transaction(pool) as other:
        await notices.drop(other, [1], "answered")
        back = Notice("1/0/corrected", NoticeKind.CORRECTED, "mk", now, "T1", 1)
        assert await notices.correct(other, [back]) == 1

    await morning(db, once, anna)

    assert anna.keys == ["1/0/corrected"]


async def test_a_digest_that_may_have_been_heard_before_quiet_hours_is_the_same_after_them(
    db, once, raised, died, now, ends
):
    anna = Chat("anna", digest_after=2)
    await raised(told(now), told(now, 2))
    await died("anna/flood/1")
    await raised(told(now, 3))

    await once(anna)

    assert anna.got == []
    assert [row[2:5] for row in await waiting(db)][:2] == [("anna/flood/1", 1, ends)] * 2
    await morning(db, once, anna)
    assert ("anna/flood/1", 2) in [(n.key, dict(n.facts).get("notices")) for n, _ in anna.got]


async def test_a_digest_that_may_have_been_heard_leaves_whole_where_not_all_of_it_is_quiet(
    once, raised, died, now
):
    """A part of it, under the same key, would be dropped by whoever knows that."""
    anna = Chat("anna", digest_after=2)
    await raised(told(now, 1, kind=WARNING, step=2), told(now, 2))
    await died("anna/flood/1")

    await once(anna)

    ((digest, _),) = anna.got
    assert (digest.key, dict(digest.facts)["notices"]) == ("anna/flood/1", 2)


async def test_what_may_have_been_heard_and_waits_is_no_flood_and_fails_nothing(
    pool, db, once, raised, died, now, ends
):
    """All night it would make a digest of what is let pass, and say that nothing gets through."""
    anna = Chat("anna", digest_after=2)
    await raised(told(now), told(now, 2))
    await died("anna/flood/1")
    await once(anna)

    async with transaction(pool) as other:
        ripe = await digests.ripening(other, "anna", now)
        waits = (await stats.snapshot(other, now)).outbox["anna"]
    await raised(told(now, 3, kind=WARNING, step=2))
    await once(anna)

    assert (ripe.fresh, waits) == (False, Outbox(2))
    assert anna.keys == ["3/0/2"]


async def test_a_correction_goes_the_way_and_at_the_hour_of_its_breach(
    pool, db, once, raised, now, ends
):
    anna, lead = Chat("anna"), Chat("lead")
    await raised(told(now), told(now, 2, "eb"))
    await db.execute("update dispatch set digest = null, sent_at = now(), next_try_at = now()")
    async with transaction(pool) as other:
        back = [Notice(f"{n}/0/corrected", NoticeKind.CORRECTED, account, now, f"T{n}", n)
                for n, account in ((1, "mk"), (2, "eb"))]  # fmt: skip
        await notices.correct(other, back)

    await once(anna, lead)

    assert (anna.keys, lead.keys) == ([], ["2/0/corrected"])
    assert [row[:5] for row in await waiting(db)] == [
        ("1/0/corrected", "anna", keys.quiet("anna", ends), 0, ends)
    ]


async def test_a_rung_was_decided_for_the_notice_that_climbs(pool, once, rules, now):
    """The lead lets breaches pass: they are asked again of that, not of an escalation."""
    lead = Chat("lead")
    facts = (("of", "breach"),)
    rung = Notice("1/escalation/up/1", NoticeKind.ESCALATION, "eb", now, "T1", 1, None, facts)
    breach = Subject(BREACH, "eb")
    async with transaction(pool) as other:
        aims = rules.routing.aims("lead", ["person:lead"], breach, now)
        await notices.raise_to(other, [rung], lambda _: aims)

    await once(lead)

    assert lead.keys == ["1/escalation/up/1"]


async def test_who_is_awake_is_told_and_the_other_later(db, once, raised, now, ends):
    anna, bo = Chat("anna"), Chat("bo")
    await raised(told(now, account="am"))

    await once(anna, bo)

    assert (anna.keys, bo.keys) == ([], ["1/0/3"])
    assert [(row[1], row[4]) for row in await waiting(db)] == [("anna", ends)]


async def test_the_mute_of_a_route_holds_what_came_by_it_alone(db, pool, once, raised, now):
    bo, log = Chat("bo"), Chat("log")
    async with transaction(pool) as other:
        until = await other.fetchval("select now() + interval '1 hour'")
        await mutes.put(other, "route", "desk", until, "mara", None)
    await seeds.put_thread(db, now, "T1", "de")
    await seeds.put_message(db, now - HOUR, "M1", "T1", "de")
    await db.execute("update message set language = 'de-AT'")
    await raised(told(now, 1, "de"), told(now, 2, "am"), told(now, 3, "de"))

    await once(bo, log)

    assert (bo.keys, log.keys) == (["1/0/3"], ["3/0/3"])


async def test_the_language_is_that_of_the_buyers_newest_word_of_which_it_is_known(
    pool, db, rules, now
):
    for n, (party, language) in enumerate(
        [("buyer", "ko"), ("buyer", "de"), ("buyer", None), ("seller", "fr")]
    ):
        await seeds.put_message(db, now - HOUR + n * MINUTE, f"M{n}", "T1", "de", party=party)
        await db.execute("update message set language = $2 where id = $1", f"M{n}", language)
    await seeds.put_thread(db, now, "T1", "de")
    await seeds.put_clock(db, now - MINUTE, thread="T1", account="de")

    await seeds.watched(pool, rules, now)

    assert [row[1] for row in await waiting(db)] == ["bo"]


async def test_an_empty_duty_is_counted_when_its_fallback_is_told(
    db, once, raised, passes, metrics, now
):
    anna = Chat("anna")
    await raised(told(now, 1, "du"))
    await once(anna)
    assert [row[5] for row in await waiting(db)] == [["duty/anna!none"]]
    await passes()

    await once(anna, later=2 * HOUR)

    assert anna.keys == ["1/0/3"]
    assert metrics.registry.get_sample_value("replyby_duty_vacant_total", {"duty": "none"}) == 1
