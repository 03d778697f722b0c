from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core import poll
from core.errors import (
    BadCredentials,
    BadPayload,
    RateLimited,
    StoreUnavailable,
    Unreachable,
)  # fmt: skip
from core.metrics import Metrics
from core.model import HealthState, NoticeKind, Page, Published, SetAside, Stream
from core.poll import Reader, wait_after
from core.reading import blind, ending, reread, walk
from core.reading.walk import Round
from core.store import stats, streams, transaction
from sla.clock import Given
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, page, seller, setup, thread
from tests.core.seeds import SECOND

DAY = 24 * HOUR
WORKER = 1


class Marketplace:
    """A connector of which each answer is told beforehand; an error is raised, a page returned."""

    def __init__(self):
        self.answers = defaultdict(list)
        self.asked = []
        self.whole = {}
        self.looked = []

    def say(self, *answers, stream="threads"):
        self.answers[stream] += answers
        return self

    async def check(self):
        """Not asked here."""

    async def fetch(self, stream, cursor, position, now):
        self.asked.append((stream, cursor, position, now))
        answer = self.answers[stream].pop(0) if self.answers[stream] else Page()
        if asyncio.iscoroutinefunction(answer):
            answer = await answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def look(self, threads, now):
        self.looked.append(list(threads))
        found = [self.whole[name] for name in threads if name in self.whole]
        for answer in found:
            if isinstance(answer, Exception):
                raise answer
        return walk.merged(found)


class Polling:
    """One process that reads accounts, its metrics, and how things stand in the database."""

    def __init__(self, pool, now):
        self.pool, self.now = pool, now
        self.metrics = Metrics()
        self.slots = poll.Slots()
        self.readers = {}
        self.marketplaces = {}

    async def read(self, *setups):
        """Monitor these accounts, each at a marketplace of its own."""
        await pages.monitored(self.pool, self.now - DAY, *setups)
        for one in setups:
            name = one.account.name
            self.marketplaces[name] = Marketplace()
            named = {stream.name: stream for stream in one.streams}
            self.readers[name] = Reader(one.account, self.marketplaces[name], named, one.budget)
        return self.marketplaces[setups[0].account.name]

    async def once(self, **changes):
        given = {"slots": self.slots, **changes}
        return await poll.once(
            self.pool, WORKER, self.readers, self.rules, self.metrics, self.now, **given
        )

    async def again(self, after=timedelta(0), stream=None, **changes):
        """Poll once more, as if everything (or *stream*) had become due."""
        async with self.pool.acquire() as db:
            await db.execute(
                "update stream set next_due = now(), not_before = now() where holder is null"
                " and next_due < 'infinity' and ($1::text is null or stream = $1)",
                stream,
            )
            await db.execute("delete from budget")
        self.now += after
        return await self.once(**changes)

    @property
    def rules(self):
        return seeds.rules(accounts=tuple(self.readers))

    async def stream(self, name="threads", account="mk"):
        async with self.pool.acquire() as db:
            found = await db.fetchrow(
                "select *, round(extract(epoch from next_due - now()))::integer as wait"
                " from stream where stream = $1 and account = $2",
                name, account,
            )  # fmt: skip
        return dict(found)

    async def told(self, *kinds):
        """Notices of *kinds*, or all but the clocks', in the order in which they were raised."""
        async with self.pool.acquire() as db:
            found = await db.fetch("select kind, facts, account from notice order by id")
        return [
            (row["kind"], row["facts"]) for row in found
            if (row["kind"] in kinds if kinds else row["kind"] not in {"warning", "breach"})
        ]  # fmt: skip

    def counted(self, outcome, account="mk"):
        return self.metrics.polls.labels("empik", account, outcome)._value.get()


@pytest.fixture
def polling(pool, now):
    return Polling(pool, now)


def more(position, *items, **changes):
    return page(*items, position=position, more=True, **changes)


async def test_a_walk_stores_what_it_reads_and_comes_back_after_its_interval(polling, now):
    mk = await polling.read(setup())
    mk.say(page(thread(as_of=now), buyer("M1", now - HOUR), cursor="c1"))

    with capture_logs() as logs:
        await polling.once()

    row = await polling.stream()
    assert (row["cursor"], row["health"], row["holder"]) == ("c1", "ok", None)
    assert now <= row["seen_through"] <= now + SECOND
    assert 57 <= row["wait"] <= 63
    assert await pages.clock_rows(polling.pool) == [("T1", "M1", None, None)]
    assert polling.counted("success") == 1
    assert polling.metrics.messages_stored.labels("empik", "mk", "in")._value.get() == 1
    [said] = [line for line in logs if line["event"] == "polled"]
    assert (said["new"], said["pages"], said["log_level"]) == (1, 1, "info")

    await polling.again()
    assert mk.asked[-1][1:3] == ("c1", None)


@pytest.mark.parametrize(("kept", "said"), [(logging.DEBUG, ["debug"]), (logging.INFO, [])])
async def test_nothing_new_is_said_quietly(polling, caplog, kept, said):
    caplog.set_level(kept)
    await polling.read(setup())
    with capture_logs() as logs:
        await polling.once()

    assert [line["log_level"] for line in logs if line["event"] == "polled"] == said


async def test_the_cursor_moves_with_the_last_page_only(polling, now, monkeypatch):
    monkeypatch.setattr(walk, "FULL", 1)
    mk = await polling.read(setup())
    mk.say(
        more("p1", buyer("M9", now - MINUTE), cursor="c9"),
        more("p2", buyer("M8", now - HOUR), cursor="c8"),
        Unreachable("HTTP 503", detail="503"),
    )

    await polling.once()

    row = await polling.stream()
    assert (row["cursor"], row["seen_through"], row["failures"]) == (None, None, 1)
    assert [r["id"] for r in await pages.rows(polling.pool, "message")] == ["M8", "M9"]
    assert polling.counted("server_error") == 1

    mk.say(more("p1", buyer("M9", now - MINUTE)), page(buyer("M7", now - HOUR), cursor="c1"))
    await polling.again()
    assert [asked[1:3] for asked in mk.asked[3:]] == [(None, None), (None, "p1")]
    assert (await polling.stream())["cursor"] == "c1"


async def test_an_ascending_stream_moves_its_cursor_with_every_page(polling, now):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE, ascending=True)))
    mk.say(more("p1", buyer("M1", now - HOUR), cursor="c1"), Unreachable("reset"))

    await polling.once()

    row = await polling.stream()
    assert (row["cursor"], row["seen_through"]) == ("c1", None)
    assert polling.counted("network") == 1


async def test_small_pages_share_a_transaction_and_large_ones_do_not_wait(polling, now):
    mk = await polling.read(setup())
    many = [buyer(f"M{n}", now - HOUR, f"T{n}") for n in range(walk.FULL)]
    mk.say(more("a", buyer("A", now)), more("b", *many), page(buyer("Z", now), cursor="c"))

    await polling.once()

    async with polling.pool.acquire() as db:
        made = await db.fetch(
            "select array_agg(id order by id) as ids, count(*) as n from message"
            " group by xmin::text order by 2"
        )
    assert [(row["n"], row["ids"][0]) for row in made] == [(1, "Z"), (walk.FULL + 1, "A")]


async def test_a_walk_that_never_ends_is_broken_off(polling, now):
    for position in ("p", None):
        mk = await polling.read(setup())
        mk.say(more(position, buyer("M1", now)), more(position, buyer("M2", now)))
        await polling.again()

    assert polling.counted("parse_error") == 2


async def test_a_marketplace_that_does_not_answer_is_left_in_time(polling, monkeypatch):
    monkeypatch.setattr(walk, "LIMIT", 0.05)
    mk = await polling.read(setup())

    async def never():
        await asyncio.sleep(60)

    mk.say(never)
    await polling.once()

    assert polling.counted("timeout") == 1
    assert (await polling.stream())["health"] == "unreachable"


async def test_a_long_walk_keeps_its_lease(polling, now, monkeypatch):
    monkeypatch.setattr(walk, "RENEW_AFTER", 0.0)
    mk = await polling.read(setup())
    waits = []

    async def second():
        waits.append((await polling.stream())["wait"])
        return page(buyer("M2", now))

    async def first():
        async with polling.pool.acquire() as db:
            await db.execute("update stream set next_due = now(), leased_until = now()")
        return more("p1", buyer("M1", now))

    mk.say(first, second)
    await polling.once()

    assert waits == [90]
    assert polling.counted("success") == 1


async def test_what_was_read_under_a_lost_lease_is_dropped(polling, now):
    mk = await polling.read(setup())

    async def meanwhile():
        async with polling.pool.acquire() as db:
            await db.execute("update stream set next_due = now()")
            await streams.claim(db, 2, 1, MINUTE)
        return page(buyer("M1", now), cursor="c1")

    mk.say(meanwhile)
    await polling.once()

    assert await pages.rows(polling.pool, "message") == []
    assert (await polling.stream())["holder"] == 2
    assert polling.counted("lease_lost") == 1
    assert polling.metrics.leases_lost.labels("empik")._value.get() == 1


async def test_walks_that_find_nothing_end_together_and_one_that_lost_its_lease_alone(polling, now):
    names = ("a", "b", "c")
    await polling.read(*(setup(name) for name in names))

    async def meanwhile():
        await polling.pool.execute("update stream set fence = fence + 1 where account = 'b'")
        return Page(cursor="b1")

    for name in names:
        answer = meanwhile if name == "b" else Page(cursor=f"{name}1")
        polling.marketplaces[name].say(answer)
    await polling.once()

    assert [polling.counted("success", name) for name in names] == [1, 0, 1]
    assert [polling.counted("lease_lost", name) for name in names] == [0, 1, 0]
    rows = await polling.pool.fetch("select cursor, xmin::text as by from stream order by account")
    assert [row["cursor"] for row in rows] == ["a1", None, "c1"]
    assert rows[0]["by"] == rows[2]["by"]


async def overlap(polling, now, *names):
    """Accounts of which a thread is stored that the next walk brings once more."""
    await polling.read(*(setup(name) for name in names))
    again = page(thread(as_of=now), buyer("M1", now - HOUR), cursor="c1")
    for name in names:
        polling.marketplaces[name].say(again, again)
    await polling.once()
    return again


def repeated(polling, account):
    return polling.metrics.messages_duplicate.labels("empik", account)._value.get()


async def test_what_an_overlap_brings_again_writes_the_streams_alone(polling, now):
    await overlap(polling, now, "a", "b")
    tables = ("thread", "message", "clock", "clock_entry", "set_aside")
    written = "select xmin::text from {}"
    before = [await polling.pool.fetch(written.format(table)) for table in tables]

    await polling.again()

    assert [await polling.pool.fetch(written.format(table)) for table in tables] == before
    rows = await polling.pool.fetch("select seen_through, holder from stream")
    assert all(row["seen_through"] >= now and row["holder"] is None for row in rows)
    assert [repeated(polling, name) for name in ("a", "b")] == [1, 1]
    assert [polling.counted("success", name) for name in ("a", "b")] == [2, 2]


async def test_an_overlap_with_something_new_stores_it(polling, now):
    again = await overlap(polling, now, "mk")
    mk = polling.marketplaces["mk"]
    mk.answers["threads"].clear()
    since = Given(kind="message", act="", asks=True, as_of=now, read_at=now, starts_at=now - HOUR)
    for changes in (
        {"messages": (*again.messages, buyer("M2", now))},
        {"threads": (thread(as_of=now + SECOND, subject="another"),)},
        {"given": (("T1", since),)},
        {"set_aside": (SetAside("M9", "unreadable", b"{}"),)},
        {"published": (Published("delay", 5, now),)},
        {"messages": (buyer("M1", now - HOUR, body="edited"),)},
    ):
        mk.say(replace(again, **changes))
        await polling.again()

    messages = await pages.rows(polling.pool, "message")
    assert [(row["id"], row["body"]) for row in messages] == [("M1", "edited"), ("M2", "")]
    found = {table: await pages.rows(polling.pool, table) for table in ("thread", "given")}
    assert [row["subject"] for row in found["thread"]] == ["another"]
    assert [row["starts_at"] for row in found["given"]] == [now - HOUR]
    assert [row["source_id"] for row in await pages.rows(polling.pool, "set_aside")] == ["M9"]
    assert [row["value"] for row in await pages.rows(polling.pool, "published")] == [5]


TAKEN = "update stream set fence = fence + 1, holder = 2"


@pytest.mark.parametrize("retired", [True, False], ids=["its account is retired", "it is taken"])
async def test_what_an_overlap_brings_counts_only_under_the_fence(polling, now, retired):
    again = await overlap(polling, now, "mk")

    async def meanwhile():
        if retired:
            await pages.monitored(polling.pool, now, setup("other"))
        else:
            await polling.pool.execute(TAKEN)
        return replace(again, cursor="c2")

    polling.marketplaces["mk"].answers["threads"] = [meanwhile]
    await polling.again()

    row = await polling.pool.fetchrow("select cursor, holder from stream where account = 'mk'")
    assert tuple(row) == ("c1", None if retired else 2)
    assert polling.counted("lease_lost") == 1
    assert repeated(polling, "mk") == 0


async def test_a_push_that_comes_between_is_not_undone_by_what_was_read_before(polling, now):
    again = await overlap(polling, now, "mk")

    async def meanwhile():
        await pages.stored(polling.pool, now, seller("M2", now), of=polling.rules)
        return again

    polling.marketplaces["mk"].answers["threads"] = [meanwhile]
    await polling.again()

    assert await pages.clock_rows(polling.pool) == [("T1", "M1", "met", None)]
    assert polling.counted("success") == 2


async def test_a_walk_that_is_cancelled_takes_no_other_along(polling, now):
    await polling.read(setup("a"), setup("b"))
    endings = ending.Endings()
    async with transaction(polling.pool) as db:
        leases = await streams.claim(db, WORKER, 2, MINUTE)
    walks = [streams.Finished(lease, "c1", now, now, MINUTE) for lease in leases]
    first, second = (asyncio.create_task(endings.finish(polling.pool, each)) for each in walks)
    await asyncio.sleep(0)

    first.cancel()

    await second
    assert first.cancelled()


async def test_a_cursor_that_cannot_be_stored_fails_its_own_walk_alone(polling, now):
    names = ("a", "b", "c")
    await polling.read(*(setup(name) for name in names))
    for name in names:
        polling.marketplaces[name].say(Page(cursor="b\0" if name == "b" else f"{name}1"))

    await polling.once()

    assert [polling.counted("success", name) for name in names] == [1, 0, 1]
    rows = await polling.pool.fetch("select cursor, health from stream order by account")
    assert [tuple(row) for row in rows] == [("a1", "ok"), (None, "bad_payload"), ("c1", "ok")]


async def test_walks_that_end_while_others_are_written_end_by_the_next_statement(polling, now):
    """What joins too late is not forgotten, and not told what became of the others."""
    await polling.read(setup("a"), setup("b"))
    endings = ending.Endings()
    async with transaction(polling.pool) as db:
        leases = await streams.claim(db, WORKER, 2, MINUTE)
    first, second = (streams.Finished(lease, "c1", now, now, MINUTE) for lease in leases)

    async with polling.pool.acquire() as db, db.transaction():
        await db.execute("select from stream where account = $1 for update", first.lease.account)
        early = asyncio.create_task(endings.finish(polling.pool, first))
        await asyncio.sleep(4 * ending.GATHER)
        await endings.finish(polling.pool, second)
        assert not early.done()
    await early

    rows = await polling.pool.fetch("select cursor, holder from stream")
    assert [tuple(row) for row in rows] == [("c1", None)] * 2


async def test_walks_do_not_wait_for_ever_for_a_statement_that_was_cancelled(polling, now):
    await polling.read(setup())
    async with transaction(polling.pool) as db:
        [lease] = await streams.claim(db, WORKER, 1, MINUTE)
    before = asyncio.all_tasks()
    end = ending.Endings().finish(polling.pool, streams.Finished(lease, "c1", now, now, MINUTE))
    walking = asyncio.create_task(end)
    await asyncio.sleep(0)
    [writing] = asyncio.all_tasks() - before - {walking}

    writing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(walking, 5)


async def test_every_walk_hears_that_the_database_went_away(polling, now):
    await polling.read(setup("a"), setup("b"))
    endings = ending.Endings()
    async with transaction(polling.pool) as db:
        leases = await streams.claim(db, WORKER, 2, MINUTE)
    walks = [streams.Finished(lease, "c1", now, now, MINUTE) for lease in leases]
    await polling.pool.close()

    ends = (endings.finish(polling.pool, each) for each in walks)
    told = await asyncio.gather(*ends, return_exceptions=True)

    assert [type(fault) for fault in told] == [StoreUnavailable] * 2


async def test_a_message_is_never_seen_before_it_was_sent(polling, now):
    """The marketplace answers after the walk began; what is in the answer may be younger."""
    mk = await polling.read(setup())

    async def slow():
        await asyncio.sleep(0.1)
        return page(buyer("M1", now + timedelta(seconds=0.05)))

    mk.say(slow)
    await polling.once()

    [row] = await pages.rows(polling.pool, "clock")
    assert (row["started_at"], row["flags"]) == (now + timedelta(seconds=0.05), [])


async def test_slow_and_broken_accounts_hold_up_nobody_else(polling, now):
    await polling.read(*(setup(f"a{n}", budget=f"b{n}") for n in range(3)))
    order = []

    async def slow():
        await asyncio.sleep(0.2)
        order.append("slow")
        return Page()

    async def bug():
        raise KeyError("secret words")

    async def good():
        order.append("good")
        return page(buyer("M1", now))

    for name, answer in (("a0", slow), ("a1", bug), ("a2", good)):
        polling.marketplaces[name].say(answer)
    with capture_logs() as logs:
        await polling.once()

    assert order == ["good", "slow"]
    assert (await polling.stream(account="a1"))["error"] == "crashed: KeyError"
    assert polling.counted("parse_error", "a1") == 1
    [said] = [line for line in logs if line["log_level"] == "error"]
    assert said["trace"][-1].endswith(" bug")
    assert "secret words" not in str(logs)


async def test_a_stream_that_this_process_does_not_know_is_left_to_others(polling):
    await polling.read(setup())
    polling.readers.clear()

    await polling.once()

    row = await polling.stream()
    assert (row["holder"], row["failures"], row["wait"]) == (None, 0, 60)


async def test_when_nothing_is_due_it_says_when_something_will_be(polling):
    mk = await polling.read(setup())
    first = await polling.once()
    second = await polling.once()

    assert polling.now <= first <= polling.now + 30 * SECOND  # at once, whatever the machine does
    assert 55 * SECOND <= second - polling.now <= 65 * SECOND
    assert len(mk.asked) == 1


async def test_a_database_that_goes_away_says_so(polling, now):
    mk = await polling.read(setup())

    async def gone():
        async with polling.pool.acquire() as db:
            await db.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        polling.pool.terminate()
        return page(buyer("M1", now))

    mk.say(gone)
    with pytest.raises(StoreUnavailable):
        await polling.once()


# Faults


async def test_a_rate_limit_is_kept_by_every_account_of_the_key(polling):
    shared = [setup(name, budget="operator") for name in ("a", "b")]
    await polling.read(*shared)
    polling.marketplaces["a"].say(RateLimited("429", retry_after=120.0))
    polling.marketplaces["b"].say(RateLimited("429", retry_after=1.0))

    await polling.once()

    async with polling.pool.acquire() as db:
        await db.execute("update stream set next_due = now()")
    await polling.once()
    for name in ("a", "b"):
        row = await polling.stream(account=name)
        assert (row["health"], 118 <= row["wait"] <= 120) == ("rate_limited", True)
        assert polling.counted("throttled", name) == 1
        assert len(polling.marketplaces[name].asked) == 1


async def test_a_stream_that_is_limited_alone_holds_no_other_up(polling):
    numbers = Stream("numbers", HOUR, carries_clocks=False, limited_alone=True)
    mk = await polling.read(setup("mk", Stream("threads", MINUTE), numbers))
    async with polling.pool.acquire() as db:
        await db.execute("update stream set next_due = now() + '1 hour' where stream = 'threads'")
    mk.say(RateLimited("429", retry_after=600.0), stream="numbers")

    await polling.once()
    async with polling.pool.acquire() as db:
        await db.execute("update stream set next_due = now() where stream = 'threads'")
    await polling.once()

    assert (await polling.stream("numbers"))["health"] == "rate_limited"
    assert (await polling.stream("threads"))["health"] == "ok"
    assert await pages.rows(polling.pool, "budget") == []


async def test_a_refused_key_takes_the_account_down_at_once_and_is_told_once(polling):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE), Stream("incidents", MINUTE)))
    mk.say(BadCredentials("HTTP 401"), BadCredentials("HTTP 401"))
    async with polling.pool.acquire() as db:
        await db.execute("update stream set next_due = now() + '1 hour' where stream = 'incidents'")

    with capture_logs() as logs:
        await polling.once()
        await polling.again(MINUTE, "threads")

    assert [(kind) for kind, _ in await polling.told()] == [NoticeKind.ACCOUNT_DOWN]
    for name in ("threads", "incidents"):
        row = await polling.stream(name)
        assert row["health"] == "bad_credentials"
        assert 50 <= row["wait"] <= 120
    assert [asked[0] for asked in mk.asked] == ["threads", "threads"]
    said = [line["event"] for line in logs if line["log_level"] == "warning"]
    assert said == ["reading failed", "account went down"]
    [down] = [r for r in await pages.rows(polling.pool, "account", "1") if r["name"] == "mk"]
    assert down["down_since"] is not None


async def test_the_key_of_settings_that_were_replaced_meanwhile_says_nothing(polling):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE)))

    async def refused():
        polling.readers["mk"].replaced.set()
        return BadCredentials("HTTP 401")

    mk.say(refused)
    await polling.once()

    row = await polling.stream("threads")
    assert (row["health"], row["failures"]) == ("starting", 0)
    assert row["wait"] <= 0, "the new key's turn is now"
    assert await polling.told() == []


async def test_a_key_that_works_again_is_told_and_everything_is_read(polling):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE), Stream("incidents", MINUTE)))
    mk.say(BadCredentials("HTTP 401")).say(BadCredentials("HTTP 401"), stream="incidents")
    await polling.once()
    mk.answers.clear()

    await polling.again(MINUTE, "threads")
    assert [kind for kind, _ in await polling.told()] == [NoticeKind.ACCOUNT_DOWN]
    assert (await polling.stream("incidents"))["wait"] <= 0
    await polling.once()

    told = [kind for kind, _ in await polling.told()]
    assert told == [NoticeKind.ACCOUNT_DOWN, NoticeKind.ACCOUNT_UP]
    assert {(await polling.stream(n))["health"] for n in ("threads", "incidents")} == {"ok"}

    mk.say(BadCredentials("HTTP 401"))
    await polling.again(HOUR, "threads")
    assert [kind for kind, _ in await polling.told()][2:] == [NoticeKind.ACCOUNT_DOWN]


async def test_a_key_that_works_again_is_told_with_what_was_blind_meanwhile(polling):
    """One notice for the end of both: the stream that is still unread keeps the account blind."""
    mk = await polling.read(setup("mk", Stream("threads", MINUTE), Stream("incidents", MINUTE)))
    mk.say(BadCredentials("HTTP 401")).say(BadCredentials("HTTP 401"), stream="incidents")
    await polling.once()
    later = polling.now + HOUR
    await blind.once(polling.pool, polling.rules, polling.metrics, later, started=polling.now)
    mk.answers.clear()

    await polling.again(2 * HOUR, "threads")
    await polling.once()
    kinds = [kind for kind, _ in await polling.told()]
    assert kinds == [NoticeKind.ACCOUNT_DOWN, NoticeKind.BLIND]

    later = polling.now
    await blind.once(polling.pool, polling.rules, polling.metrics, later, started=polling.now)
    kinds = [kind for kind, _ in await polling.told()]
    assert kinds == [NoticeKind.ACCOUNT_DOWN, NoticeKind.BLIND, NoticeKind.ACCOUNT_UP]


async def test_a_consent_that_is_taken_back_is_told_by_one_notice_of_blindness(polling):
    """Each of its streams was read at another instant, and so is blind at another."""
    names = ("cases", "disputes", "inquiries", "returns", "threads")
    mk = await polling.read(setup("mk", *(Stream(name, MINUTE) for name in names)))
    await polling.once()
    for name in names:
        await polling.again(timedelta(seconds=20), name)
    for name in names:
        mk.say(*[BadCredentials("invalid_grant")] * 50, stream=name)

    for _ in range(20):
        await polling.again(timedelta(seconds=30))
        at = polling.now
        await blind.once(polling.pool, polling.rules, polling.metrics, at, started=at - HOUR)

    down, blinded = await polling.told()
    assert (down[0], blinded[0]) == (NoticeKind.ACCOUNT_DOWN, NoticeKind.BLIND)
    assert blinded[1]["streams"] == ", ".join(names)

    mk.answers.clear()
    await polling.again(MINUTE)
    await polling.once()
    at = polling.now
    await blind.once(polling.pool, polling.rules, polling.metrics, at, started=at - HOUR)
    assert [kind for kind, _ in await polling.told()][2:] == [NoticeKind.ACCOUNT_UP]


async def test_a_key_that_may_not_read_one_stream_stops_no_other_and_is_told_at_once(polling):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE), Stream("incidents", MINUTE)))
    fault = BadCredentials("HTTP 403, error 1100", detail="403", alone=True)
    mk.say(fault, fault, stream="incidents")

    for _ in range(2):
        await polling.once()
        at = polling.now + timedelta(seconds=1)
        await blind.once(polling.pool, polling.rules, polling.metrics, at, started=polling.now)
        await polling.again(MINUTE, "incidents")

    told = [(kind, facts.get("reason")) for kind, facts in await polling.told()]
    assert told == [(NoticeKind.BLIND, "forbidden")]
    row = await polling.stream("incidents")
    assert (row["health"], row["error"]) == ("ok", None)
    assert (await polling.stream("threads"))["health"] == "ok"
    [account] = [r for r in await pages.rows(polling.pool, "account", "1") if r["name"] == "mk"]
    assert account["down_since"] is None

    at = polling.now
    await blind.once(polling.pool, polling.rules, polling.metrics, at, started=polling.now)
    kinds = [kind for kind, _ in await polling.told()]
    assert kinds == [NoticeKind.BLIND, NoticeKind.ACCOUNT_UP]


async def test_a_stream_that_the_key_may_not_read_is_tried_ever_more_rarely(polling):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE), Stream("incidents", MINUTE)))
    mk.say(*[BadCredentials("HTTP 403", alone=True)] * 2, stream="incidents")

    await polling.once()
    first = await polling.stream("incidents")
    await polling.again(MINUTE, "incidents")
    second = await polling.stream("incidents")

    assert (first["health"], second["health"]) == ("forbidden", "forbidden")
    assert first["wait"] <= 60 < second["wait"] <= 120
    assert (await polling.stream("threads"))["health"] == "ok"


async def test_a_stream_without_its_own_permission_does_not_stop_the_others_again(polling):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE), Stream("incidents", MINUTE)))
    mk.say(*[BadCredentials("HTTP 403")] * 5, stream="incidents")

    await polling.once()
    for _ in range(2):
        await polling.again(MINUTE)

    assert (await polling.stream("threads"))["health"] == "ok"
    assert 57 <= (await polling.stream("threads"))["wait"] <= 63
    assert (await polling.stream("incidents"))["wait"] > 100
    assert [kind for kind, _ in await polling.told()] == [NoticeKind.ACCOUNT_DOWN]


async def test_a_key_refused_where_no_clock_hangs_on_it_takes_nothing_down(polling):
    numbers = Stream("numbers", DAY, carries_clocks=False)
    mk = await polling.read(setup("mk", Stream("threads", MINUTE), numbers))
    mk.say(BadCredentials("HTTP 403"), stream="numbers")

    await polling.once()

    assert await polling.told() == []
    assert (await polling.stream("threads"))["health"] == "ok"


async def test_a_key_refused_to_an_account_that_is_only_pushed_takes_it_down(polling):
    """Nothing that carries clocks says so: what is read beside the pushes does."""
    number = Stream("number", HOUR, carries_clocks=False, limited_alone=True)
    mk = await polling.read(setup("mk", number))
    mk.say(BadCredentials("no longer good"), BadCredentials("no longer good"), stream="number")

    await polling.once()
    await polling.again(HOUR)

    ((kind, facts),) = await polling.told()
    assert (kind, facts["polled"]) == (NoticeKind.ACCOUNT_DOWN, False)
    assert not await authorized(polling)

    await polling.again(HOUR)
    assert [kind for kind, _ in await polling.told()][1:] == [NoticeKind.ACCOUNT_UP]
    assert await authorized(polling)


async def authorized(polling):
    async with polling.pool.acquire() as db:
        return (await stats.snapshot(db, polling.now)).readings["mk"].authorized


async def test_an_unreachable_marketplace_is_tried_again_more_and_more_rarely(polling):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE)))
    mk.say(*[Unreachable("HTTP 502", detail="502")] * 8)
    waits = []
    with capture_logs() as logs:
        for _ in range(8):
            await polling.again()
            waits.append((await polling.stream())["wait"])

    longest = [10, 20, 40, 80, 160, 300, 300, 300]
    assert all(most * 0.6 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert await polling.told() == []
    said = [line for line in logs if line["event"] == "reading failed"]
    assert [line["log_level"] for line in said] == ["warning"] + ["debug"] * 7

    with capture_logs() as logs:
        await polling.again()
    assert [line["was"] for line in logs if line["event"] == "reading recovered"] == ["unreachable"]
    assert (await polling.stream())["failures"] == 0


async def test_what_still_fails_after_a_restart_is_said_once_a_start_and_stream(polling):
    """The stored health is what it was before: that alone would keep a new process silent."""
    mk = await polling.read(setup("mk", Stream("threads", MINUTE), Stream("incidents", MINUTE)))
    for name in ("threads", "incidents"):
        mk.say(*[Unreachable("no answer")] * 5, stream=name)
    said = []
    for slots in (poll.Slots(), poll.Slots()):
        for _ in range(2):
            with capture_logs() as logs:
                await polling.again(slots=slots)
            failed = [line for line in logs if line["event"] == "reading failed"]
            said.append([line["log_level"] for line in failed])

    assert said == [["warning"] * 2, ["debug"] * 2] * 2


async def test_a_stream_that_fails_again_after_it_was_read_is_said_again(polling):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE)))
    mk.say(Unreachable("no answer"), Page(), Unreachable("no answer"))
    with capture_logs() as logs:
        for _ in range(3):
            await polling.again()

    said = [line["event"] for line in logs if line["log_level"] in {"warning", "info"}]
    assert said.count("reading failed") == 2


def test_a_wait_never_outlasts_what_is_asked_by_more_than_an_hour():
    nonsense = RateLimited("", retry_after=10.0**9)
    assert wait_after(nonsense, 0, MINUTE) == HOUR
    assert wait_after(RateLimited("", retry_after=-5.0), 0, MINUTE) == SECOND
    assert wait_after(BadCredentials(""), 0, MINUTE) == MINUTE
    assert wait_after(BadCredentials(""), 50, MINUTE) == 15 * MINUTE
    assert 20 * HOUR / 3 < wait_after(Unreachable(""), 10**6, 10 * HOUR) <= 10 * HOUR
    assert wait_after(Unreachable(""), 0, 2 * SECOND) <= 2 * SECOND


async def test_an_answer_that_cannot_be_read_is_kept_and_told_once_an_hour(polling, now):
    mk = await polling.read(setup())
    mk.say(*(BadPayload(f"not JSON: {n}", raw=b"<html>") for n in range(3)))

    for _ in range(2):
        await polling.again()
    await polling.again(HOUR)

    kept = await pages.rows(polling.pool, "set_aside")
    assert [(row["source_id"], row["raw"]) for row in kept] == [("page", b"<html>")] * 3
    told = await polling.told()
    assert told == [
        ("payload_set_aside", {"stream": "threads", "reason": "not JSON: 0", "n": 1}),
        ("payload_set_aside", {"stream": "threads", "reason": "not JSON: 2", "n": 1}),
    ]
    assert (await polling.stream())["health"] == "bad_payload"
    assert polling.metrics.payloads_quarantined.labels("empik", "page")._value.get() == 3


@pytest.mark.parametrize("fault", [BadPayload("not JSON"), Unreachable("gone"), KeyError("bug")])
async def test_a_walk_that_breaks_off_keeps_what_it_has_read(polling, now, fault):
    mk = await polling.read(setup())
    for _ in range(2):
        mk.say(more("p2", buyer("M1", now - HOUR), cursor="c1"), fault)
        await polling.again()

    assert [row["id"] for row in await pages.rows(polling.pool, "message")] == ["M1"]
    stream = await polling.stream()
    assert (stream["cursor"], stream["seen_through"], stream["failures"]) == (None, None, 2)


async def test_an_error_in_words_that_cannot_be_stored_ends_nothing(polling):
    mk = await polling.read(setup())
    mk.say(BadPayload("\x00 \ud800 " * 200, raw=b"\x00"), Unreachable("\x00 \udfff"))

    await polling.again()
    await polling.again()

    assert (await polling.stream())["error"] == "\ufffd ?"


async def test_an_item_that_cannot_be_read_is_told_and_its_neighbours_are_stored(polling, now):
    mk = await polling.read(setup())
    item = SetAside("T7", "messages.0.id: missing", b"{}")
    for _ in range(2):
        mk.say(replace(page(buyer("M1", now - HOUR), cursor="c"), set_aside=(item,)))

    await polling.once()
    await polling.again(HOUR)

    assert await polling.told() == [
        ("payload_set_aside", {"stream": "threads", "reason": item.reason, "n": 1})
    ]
    assert polling.counted("partial") == 2
    assert len(await pages.rows(polling.pool, "message")) == 1


async def test_a_notice_of_items_that_cannot_be_read_tells_of_the_new_ones_alone(polling, now):
    mk = await polling.read(setup())
    known, *new = (SetAside(f"T{n}", f"reason {n % 3}", b"{}") for n in (0, 1, 2, 4))
    for items in ((known,), (known, *new)):
        mk.say(replace(page(buyer("M1", now - HOUR), cursor="c"), set_aside=items))

    await polling.once()
    await polling.again(HOUR)

    assert (await polling.told())[1] == (
        "payload_set_aside", {"stream": "threads", "reason": "reason 1", "others": 1, "n": 3},
    )  # fmt: skip


# The first walk


async def test_the_first_walk_ends_when_all_that_carries_clocks_was_read(polling, now):
    several = (
        Stream("threads", MINUTE), Stream("incidents", MINUTE),
        Stream("numbers", DAY, carries_clocks=False),
    )  # fmt: skip
    mk = await polling.read(setup("mk", *several))
    mk.say(page(buyer("M1", now - 9 * DAY, "A"), buyer("M2", now - 8 * DAY, "B")))
    mk.say(Unreachable("reset"), stream="incidents")
    mk.say(Unreachable("reset"), stream="numbers")

    await polling.once()
    [row] = await pages.rows(polling.pool, "account")
    assert (row["first_walk_at"], await polling.told()) == (None, [])

    await polling.again(MINUTE)
    await polling.again(MINUTE)
    [row] = await pages.rows(polling.pool, "account")
    assert row["first_walk_at"] - (now + MINUTE) < SECOND
    assert await polling.told() == [("history_summary", {"waiting": 2})]


# Single threads


async def test_a_thread_told_in_part_is_read_whole(polling, now):
    mk = await polling.read(setup())
    mk.say(page(thread(as_of=now, incomplete=True), buyer("M2", now - HOUR)))
    mk.whole["T1"] = page(thread(as_of=now), buyer("M1", now - 2 * HOUR), buyer("M2", now - HOUR))

    await polling.once()
    await polling.again()

    assert mk.looked == [["T1"]]
    [row] = [r for r in await pages.rows(polling.pool, "clock") if r["ended"] is None]
    assert (row["started_by"], row["flags"]) == ("M1", [])


async def test_what_cannot_be_read_whole_keeps_what_was_read_of_it(polling, now):
    """One unreadable thread costs the others nothing, and a failed look costs no walk."""
    mk = await polling.read(setup())
    parts = [thread(name, as_of=now, incomplete=True) for name in ("A", "B", "C")]
    mk.say(page(*parts, *(buyer(f"M{t.id}", now - HOUR, t.id) for t in parts)))
    mk.whole = {t.id: page(replace_incomplete(t)) for t in parts}
    mk.whole["B"] = BadPayload("not JSON")
    mk.whole["A"] = replace(mk.whole["A"], set_aside=(SetAside("MX", "no id", b"{}"),))

    await polling.once()

    left = [r["id"] for r in await pages.rows(polling.pool, "thread") if r["incomplete"]]
    assert left == ["B"]
    assert {r["stream"] for r in await pages.rows(polling.pool, "set_aside")} == {"threads"}
    assert (await polling.stream())["health"] == "ok"

    mk.say(page(parts[0].model_copy(update={"as_of": now + MINUTE})))
    mk.whole["A"] = Unreachable("reset")
    await polling.again(MINUTE)
    assert mk.looked[-1] == ["A"]
    assert (await polling.stream())["health"] == "ok"


def replace_incomplete(one):
    return one.model_copy(update={"incomplete": False})


async def test_a_connectors_bug_in_a_look_ends_nothing(polling, now):
    mk = await polling.read(setup())
    mk.say(page(thread(as_of=now, incomplete=True), buyer("M2", now - HOUR)))
    mk.whole["T1"] = KeyError("secret words")

    with capture_logs() as logs:
        await polling.once()

    assert polling.counted("success") == 1
    assert [line["error"] for line in logs if line["log_level"] == "error"] == ["KeyError"]


async def test_what_is_due_and_locked_is_looked_for_again_a_little_later(polling):
    await polling.read(setup())
    async with polling.pool.acquire() as db, db.transaction():
        await db.execute("select from stream for update")
        again = await polling.once()

    assert 0.01 <= (again - polling.now).total_seconds() < 1


async def test_a_look_that_is_rate_limited_puts_off_the_key(polling, now):
    mk = await polling.read(setup())
    mk.say(page(thread(as_of=now, incomplete=True), buyer("M2", now - HOUR)))
    mk.whole["T1"] = RateLimited("429", retry_after=30.0)

    await polling.once()

    assert (await pages.rows(polling.pool, "budget", "1"))[0]["key"] == "budget"


async def test_a_look_that_is_limited_alone_puts_off_looks_alone_and_an_hour_at_most(polling, now):
    alone = [Stream(name, MINUTE, limited_alone=True) for name in ("messages", "returns")]
    mk = await polling.read(setup("mk", *alone), setup("other", *alone))
    mk.say(page(thread(as_of=now, incomplete=True), buyer("M2", now - HOUR)), stream="messages")
    mk.whole["T1"] = RateLimited("429", retry_after=80_000.0)

    await polling.once()
    [(key, wait)] = [
        tuple(r) for r in await polling.pool.fetch("select key, next_at - now() from budget")
    ]
    assert key == "looks mk"
    assert wait <= HOUR

    mk.say(page(thread(as_of=now + MINUTE, incomplete=True)), stream="messages")
    await polling.pool.execute("update stream set next_due = now(), not_before = now()")
    await polling.once()
    assert [len(one.asked) for one in polling.marketplaces.values()] == [4, 4]
    assert len(mk.looked) == 1
    assert not await reread.now(poll_round(polling), polling.readers["mk"], ["T1"], 5.0)
    assert len(mk.looked) == 1


async def test_a_thread_read_at_once_that_is_limited_alone_puts_off_no_walk(polling, now):
    mk = await polling.read(setup("mk", Stream("messages", MINUTE, limited_alone=True)))
    mk.whole["T1"] = RateLimited("429", retry_after=80_000.0)

    assert not await reread.now(poll_round(polling), polling.readers["mk"], ["T1"], 5.0)

    keys = await polling.pool.fetch("select key, next_at - now() as wait from budget")
    assert [row["key"] for row in keys] == ["looks mk"]
    assert keys[0]["wait"] <= HOUR


def poll_round(polling):
    return Round(polling.pool, polling.rules, polling.metrics, lambda: polling.now, sure=True)


@pytest.mark.parametrize(
    "fault", [BadCredentials("403", alone=True), Unreachable("500"), BadPayload("?"), KeyError("x")]
)
async def test_a_thread_that_fails_for_good_keeps_no_other_from_being_looked_at(
    polling, now, fault
):
    mk = await polling.read(setup())
    parts = [thread(name, as_of=now, incomplete=True) for name in ("A", "B")]
    mk.say(page(*parts, *(buyer(f"M{t.id}", now - HOUR, t.id) for t in parts)))
    mk.whole = {"A": fault, "B": page(thread("B", as_of=now + MINUTE))}

    with capture_logs() as logs:
        await polling.once()

    assert mk.looked == [["A", "B"], ["A"], ["B"]]
    left = [r["id"] for r in await pages.rows(polling.pool, "thread") if r["incomplete"]]
    assert left == ["A"]
    assert [line["event"] for line in logs].count("thread not read") == 1
    mk.say(page(cursor="c"))
    await polling.again(MINUTE)
    assert len(mk.looked) == 3, "it has had its turn"


async def test_where_nothing_can_be_reached_few_threads_are_tried_and_the_others_come_first(
    polling, now
):
    mk = await polling.read(setup())
    parts = [thread(f"T{n}", as_of=now, incomplete=True) for n in range(8)]
    mk.say(page(*parts, *(buyer(f"M{t.id}", now - HOUR, t.id) for t in parts)))
    mk.whole = {t.id: Unreachable("503") for t in parts}

    await polling.once()
    assert mk.looked[1:] == [["T0"], ["T1"], ["T2"]]

    mk.whole |= {f"T{n}": page(replace_incomplete(parts[n])) for n in range(3, 8)}
    again = parts[7].model_copy(update={"as_of": now + MINUTE})
    mk.say(page(again))
    await polling.again(MINUTE)
    left = [r["id"] for r in await pages.rows(polling.pool, "thread") if r["incomplete"]]
    assert left == ["T0", "T1", "T2", "T7"][: len(left)]
    assert mk.looked[4] == ["T3", "T4", "T5", "T6", "T7"]


async def _ended(slots):
    """Until nothing is read any more: each end rings."""
    rung = asyncio.Event()
    slots.claimed = rung.set
    async with asyncio.timeout(5):
        while slots.reading:
            await rung.wait()
            rung.clear()


DIES = """
    create function dies() returns trigger language plpgsql as $$
        begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
    create trigger dies before insert on message execute function dies()
"""


async def test_what_was_being_read_when_its_session_ended_is_read_again_at_once(polling, now):
    marketplace = await polling.read(setup())
    slots = poll.Slots()
    await polling.pool.execute(DIES)
    marketplace.say(page(buyer("M1", now)), page(buyer("M1", now)))

    with pytest.raises(StoreUnavailable):
        await polling.once(slots=slots)
    assert (await polling.stream())["holder"] == WORKER
    await polling.pool.execute("drop trigger dies on message")
    await polling.once(slots=slots)

    assert await polling.pool.fetchval("select count(*) from message") == 1
    assert (slots.reading, slots.forgot) == (set(), False)


async def test_a_lease_of_which_nobody_knows_is_given_back_and_what_is_read_is_kept(polling, now):
    await polling.read(setup(), setup("other"))
    async with transaction(polling.pool) as db:
        leases = await streams.claim(db, WORKER, 10, poll.LEASE)
    reading = [lease for lease in leases if lease.account == "other"]
    assert reading != leases
    slots = poll.Slots(set(reading), forgot=True)

    await polling.once(slots=slots)

    assert (await polling.stream())["last_ok_at"] is not None
    assert (await polling.stream(account="other"))["holder"] == WORKER
    assert slots.reading == set(reading)


async def test_a_marketplace_that_takes_long_holds_up_no_other(polling, now):
    slow = await polling.read(setup("slow"), setup("quick"))
    end = asyncio.Event()

    async def waits():
        await end.wait()
        return page(buyer("M1", now))

    slow.say(waits)
    slots = poll.Slots(patience=0.05, places=2)
    await polling.once(slots=slots)
    assert (await polling.stream(account="quick"))["last_ok_at"] is not None
    await polling.pool.execute("update stream set next_due = now() where account = 'quick'")
    await polling.once(slots=slots)
    assert len(polling.marketplaces["quick"].asked) == 2

    end.set()
    await _ended(slots)
    assert (await polling.stream(account="slow"))["last_ok_at"] is not None
    assert polling.counted("success", "slow") == 1


async def test_nothing_is_claimed_where_all_places_are_taken(polling, now):
    slow = await polling.read(setup("slow"), setup("quick"))
    end = asyncio.Event()

    async def waits():
        await end.wait()
        return page()

    slow.say(waits)
    await polling.pool.execute("update stream set next_due = now() where account = 'quick'")
    slots = poll.Slots(patience=0.01, places=1)
    await polling.pool.execute(
        "update stream set next_due = now() - interval '1 hour' where account = 'slow'"
    )
    await polling.once(slots=slots)
    assert slots.reading
    again = await polling.once(slots=slots)

    assert again - polling.now >= poll.UNASKED
    assert polling.marketplaces["quick"].asked == []
    end.set()
    await _ended(slots)


async def test_threads_that_wait_are_read_once_a_day_though_nothing_was_told_of_them(polling, now):
    mk = await polling.read(setup("mk", Stream("threads", 2 * HOUR)))
    mk.say(page(
        thread("A", as_of=now - 2 * DAY), thread("B", as_of=now - 2 * DAY), thread("C", as_of=now),
        buyer("M1", now - HOUR, "A"), buyer("M3", now - HOUR, "C"),
    ))  # fmt: skip

    await polling.once()
    await polling.again(MINUTE)
    assert mk.looked == [["A"]]

    await polling.again(25 * HOUR)
    assert sorted(mk.looked[1]) == ["A", "C"]


async def test_an_account_that_only_reads_is_never_looked_at(polling, now):
    class ReadsOnly(Marketplace):
        look = None

    mk = await polling.read(setup())
    reads = ReadsOnly()
    reads.say(page(thread(as_of=now, incomplete=True), buyer("M1", now)))
    polling.readers["mk"] = replace(polling.readers["mk"], connector=reads)

    await polling.once()

    assert mk.looked == []
    assert polling.counted("success") == 1


async def test_health_states_are_the_ones_that_are_shown(polling):
    assert {state.value for state in poll._STATES.values()} < {s.value for s in HealthState}
    async with transaction(polling.pool) as db:
        assert await streams.claim(db, WORKER, 1, MINUTE) == []


async def test_the_same_walk_again_writes_nothing_but_its_stream(polling, now):
    """By the place and the writer of every row of every other table."""
    mk = await polling.read(setup())
    walked = (
        more("p1", thread(as_of=now), buyer("M1", now - HOUR), seller("M2", now - MINUTE)),
        page(thread("T2", as_of=now), buyer("M3", now - HOUR, "T2", body="grün"), cursor="c1"),
    )
    mk.say(*walked)
    await polling.once()
    stored = await versions(polling.pool)

    mk.say(*walked)
    await polling.again()

    assert await versions(polling.pool) == stored
    assert len(mk.asked) == 4
    assert polling.metrics.messages_duplicate.labels("empik", "mk")._value.get() == 3
    assert (await polling.stream())["fence"] == 2


async def versions(pool):
    """Where each row of each table but `stream` lies, and which transaction wrote it."""
    async with pool.acquire() as db:
        tables = await db.fetch("select relname from pg_stat_user_tables where relname <> 'stream'")
        return {
            name: await db.fetch(f"select ctid, xmin from {name} order by ctid")
            for (name,) in tables
        }


async def test_a_walk_keeps_numbers_of_what_it_stored_and_shows_the_rest_at_once(polling, now):
    mk = await polling.read(setup("mk", Stream("threads", MINUTE, ascending=True)))
    asked = page(buyer("M1", now - HOUR), buyer("M2", now - HOUR, body="x\ud800"))
    shown = []

    async def second():
        shown.append(polling.metrics.messages_stored.labels("empik", "mk", "in")._value.get())
        return page(
            seller("M3", now - MINUTE), cursor="c2", set_aside=(SetAside("M9", "odd", b"?"),)
        )

    mk.say(replace(asked, position="2", more=True, cursor="c1"), second)
    told = await poll.account(
        polling.pool, WORKER, polling.readers["mk"], polling.rules, polling.metrics, now
    )

    [(outcome, stored)] = told.values()
    assert (outcome, stored.received, stored.sent) == ("partial", 2, 1)
    assert (stored.delays, stored.replied, [item.raw for item in stored.aside]) == ((), (), [b""])
    assert shown == [2], "the first page is shown when it is stored"
    delays = polling.metrics.ingest_delay.labels("empik")._sum.get()
    assert 2 * 3600 + 60 <= delays < 2 * 3600 + 90
    answered = polling.metrics.reply_duration.labels("empik", "first_reply")._sum.get()
    assert answered == 3600 - 60
    assert [row["raw"] for row in await pages.rows(polling.pool, "set_aside")] == [b"?"]


async def walked_alone(polling, *found, pushed=True, sure=True):
    """Three walks, each of which brings what no push had brought."""
    mk = await polling.read(setup("mk", Stream("threads", MINUTE, pushed=pushed)))
    for number in range(3):
        for make, age in found:
            id_ = f"{make.__name__}{number}"
            mk.say(page(make(id_, polling.now + MINUTE - age), thread(as_of=polling.now)))
        await polling.again(MINUTE, sure=sure)
    return await polling.told()


async def test_walks_that_find_what_pushes_should_have_brought_are_told(polling):
    [(kind, facts)] = await walked_alone(polling, (buyer, 11 * SECOND))

    assert (kind, facts["trouble"]) == (NoticeKind.PUSH_SILENT, "")


@pytest.mark.parametrize(
    ("found", "pushed", "sure"),
    [
        ((buyer, 11 * SECOND), False, True),
        ((buyer, 9 * SECOND), True, True),
        ((buyer, 2 * DAY), True, True),
        ((seller, 11 * SECOND), True, True),
        ((buyer, 11 * SECOND), True, False),
    ],
    ids=["not pushed", "too young", "from before we watched", "our own", "by a doubtful clock"],
)
async def test_what_no_push_need_have_brought_says_nothing_about_pushes(
    polling, found, pushed, sure
):
    assert await walked_alone(polling, found, pushed=pushed, sure=sure) == []
