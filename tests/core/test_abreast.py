"""Pages of several accounts at once: the rows are those of page after page."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

import pytest

from core import ingest
from core.arrival import erasing
from core.arrival.stored import Stored
from core.model import SetAside
from core.pushes import Member
from core.store import connect, transaction, wake
from sla.clock import Given
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, page, seller, thread

UNINDEXABLE = "".join(chr(0x1F300 + n % 700) for n in range(1000))
NAMES = ("a1", "a2", "a3", "a4", "a5", "a6")
TABLES = (
    "message",
    "thread",
    "clock",
    "clock_entry",
    "given",
    "tally",
    "raw_message",
    "set_aside",
    "tombstone",
    "alarm",
)


@pytest.fixture
async def rules(pool, now):
    await pages.monitored(pool, now - 24 * HOUR, *(pages.setup(name) for name in NAMES))
    return seeds.rules(accounts=NAMES)


@pytest.fixture
def store(pool, rules, now):
    async def store(told, at=now):
        async with transaction(pool) as db:
            return await ingest.pages(db, rules, told, at)

    return store


@pytest.mark.parametrize("erased", [(), ("Quill-Buyer_7", "Hello-World")])
async def test_one_statement_is_for_all_of_them(pool, rules, now, erased):
    """Also where members were erased of whom the pages tell nothing."""
    said = []
    async with transaction(pool) as db:
        gone = [Member(frozenset({name})) for name in erased]
        await erasing.ask(db, "mirakl", None, gone, now)
    async with transaction(pool) as db:
        for n, names in enumerate((NAMES[:1], NAMES[:1], NAMES)):
            told = {
                name: page(buyer(f"M{n}", now, f"T{n}"), thread(f"T{n}", as_of=now))
                for name in names
            }
            with db.query_logger(lambda record, n=n: said.append((n, record.query))):
                await ingest.pages(db, rules, told, now)

    first, one, all_ = (sum(n == each for n, _ in said) for each in range(3))
    assert first >= one == all_ > 0


async def test_each_has_its_own_messages_clocks_and_counts(pool, store, now):
    """The same ids in all of them: what is of one account is of no other."""
    told = {
        "a1": page(buyer("M1", now - HOUR), thread(as_of=now, subject="One")),
        "a2": page(buyer("M1", now - 2 * HOUR), seller("M2", now - HOUR), thread(as_of=now)),
        "a3": page(thread(as_of=now), seller("M1", now - HOUR)),
    }
    done = await store(told)

    assert [(done[a].received, done[a].sent) for a in told] == [(1, 0), (1, 1), (0, 1)]
    assert [len(done[a].replied) for a in told] == [0, 1, 0]
    clocks = [(row["account"], row["ended"]) for row in await pages.rows(pool, "clock")]
    assert sorted(clocks) == [("a1", None), ("a2", "met")]
    counts = [(r["account"], r["result"]) for r in await pages.rows(pool, "tally", "1, 2, 3")]
    assert counts == [
        ("a1", "started"), ("a2", "met"), ("a2", "started"), ("a2", "elsewhere"),
    ]  # fmt: skip


async def test_what_is_stored_is_only_repeated(pool, store, now):
    told = {name: page(buyer("M1", now - HOUR), thread(as_of=now)) for name in ("a1", "a2")}
    await store(told)
    before = {table: await pages.rows(pool, table) for table in TABLES}

    done = await store(told, now + MINUTE)

    assert done == dict.fromkeys(told, Stored(repeated=1))
    assert {table: await pages.rows(pool, table) for table in TABLES} == before


async def test_what_follows_joins_the_clock_that_runs_and_an_answer_ends_it(pool, store, now):
    told = {name: page(buyer("M1", now - HOUR), thread(as_of=now)) for name in ("a1", "a2", "a3")}
    await store(told)
    await store({"a1": page(buyer("M2", now)), "a2": page(seller("M2", now))}, now + MINUTE)

    rows = {row["account"]: row for row in await pages.rows(pool, "clock")}
    assert rows["a1"]["members"] == ["M1", "M2"]
    assert [rows[a]["ended"] for a in ("a1", "a2", "a3")] == [None, "met", None]


async def test_a_fault_of_one_costs_the_others_nothing(pool, store, now):
    told = {name: page(buyer("M1", now - HOUR), thread(as_of=now)) for name in ("a1", "a2")}
    told["a3"] = page(buyer(UNINDEXABLE, now - HOUR), buyer("M2", now - HOUR))
    done = await store(told)

    assert {row["account"]: row["id"] for row in await pages.rows(pool, "message")} == {
        "a1": "M1", "a2": "M1", "a3": "M2",
    }  # fmt: skip
    assert [(done[a].received, done[a].set_aside) for a in told] == [(1, 0), (1, 0), (1, 1)]
    assert len(await pages.rows(pool, "clock")) == 3


async def test_a_retired_account_is_dropped_and_the_others_are_stored(pool, store, now):
    await pages.monitored(pool, now, *(pages.setup(name) for name in NAMES if name != "a2"))
    told = {name: page(buyer("M1", now - HOUR), thread(as_of=now)) for name in ("a1", "a2")}
    done = await store(told)

    assert (done["a1"].received, done["a2"]) == (1, Stored())
    assert {row["account"] for row in await pages.rows(pool, "message")} == {"a1"}


async def test_an_account_cannot_be_retired_while_it_is_stored(pool, rules, now):
    left = [pages.setup(name) for name in NAMES if name != "a1"]
    async with transaction(pool) as db:
        told = {name: page(buyer("M1", now - HOUR), thread(as_of=now)) for name in ("a1", "a2")}
        await ingest.pages(db, rules, told, now)
        leaving = asyncio.create_task(pages.monitored(pool, now, *left))
        await asyncio.sleep(0.2)
        assert not leaving.done()
    await leaving

    [ended] = [row["ended"] for row in await pages.rows(pool, "clock") if row["account"] == "a1"]
    assert ended == "void"


async def test_an_erased_message_does_not_come_back(pool, store, now):
    await pool.execute("insert into tombstone values ('a1', 'M1', 'erased', $1)", now)
    told = {name: page(buyer("M1", now - HOUR), thread(as_of=now)) for name in ("a1", "a2")}
    await store(told)

    assert [row["account"] for row in await pages.rows(pool, "message")] == ["a2"]


async def test_of_an_erased_buyer_nothing_is_stored_but_that_they_wrote(pool, rules, store, now):
    async with transaction(pool) as db:
        await erasing.ask(db, "mirakl", None, [Member(frozenset({"Quill-Buyer_7"}))], now)
    words = "Yours, Quill-Buyer_7"
    told = {
        "a1": page(buyer("M1", now - HOUR, body=words), thread(as_of=now, buyer="Quill-Buyer_7")),
        "a2": page(buyer("M1", now - HOUR, body="Hello"), thread(as_of=now, buyer="Another")),
    }
    await store(told)

    written = await pool.fetch("select account, body from message where id = 'M1' order by 1")
    assert [tuple(row) for row in written] == [("a1", ""), ("a2", "Hello")]
    assert [row["buyer"] for row in await pages.rows(pool, "thread")] == ["", "Another"]


async def test_who_was_erased_in_one_account_is_somebody_else_in_another(pool, store, now):
    async with transaction(pool) as db:
        gone = [Member(frozenset({"Quill-Buyer_7"}))]
        await erasing.ask(db, "mirakl", None, gone, now, account="a1")
    one = page(buyer("M1", now - HOUR, body="Hello"), thread(as_of=now, buyer="Quill-Buyer_7"))
    await store({"a1": one, "a2": one})

    written = await pool.fetch("select account, body from message where id = 'M1' order by 1")
    assert [tuple(row) for row in written] == [("a1", ""), ("a2", "Hello")]


async def test_what_comes_into_an_erased_thread_comes_without_words(pool, store, now):
    told = {name: page(buyer("M1", now - HOUR), thread(as_of=now)) for name in ("a1", "a2")}
    await store(told)
    await pool.execute("update thread set erased_at = $1 where account = 'a1'", now)
    more = {name: page(buyer("M2", now - MINUTE, body="Hello")) for name in ("a1", "a2")}
    done = await store(more, now + MINUTE)

    assert [row["body"] for row in await pages.rows(pool, "message") if row["id"] == "M2"] == [
        "", "Hello",
    ]  # fmt: skip
    assert [done[a].received for a in more] == [1, 1]


async def test_a_step_that_is_due_wakes_the_watcher(pool, address, store, now):
    connection = await connect(address)
    heard = asyncio.Event()
    await wake.listen(connection, {"watch": heard})
    soon = now - 24 * HOUR + timedelta(seconds=0.5)
    await store({"a1": page(buyer("M1", soon), thread(as_of=now))})
    async with asyncio.timeout(10):
        await heard.wait()
    await connection.close()


def pages_of(random, now, step):
    """Something of each account, or nothing."""
    told = {}
    for name in NAMES[:4]:
        items = [
            random.choice((buyer, buyer, seller))(
                f"M{random.randrange(6)}",
                now - random.randrange(1, 200) * MINUTE,
                f"T{random.randrange(3)}",
                body=random.choice(("Hello", "Hello again", "Yours, Quill-Buyer_7")),
                raw=random.choice((None, None, b"raw")),
            )
            for _ in range(random.randrange(4))
        ]
        items += [
            thread(f"T{random.randrange(3)}", as_of=now - random.randrange(3) * MINUTE,
                   buyer=random.choice(("x", "x", "y", "Quill-Buyer_7")))
            for _ in range(random.randrange(3))
        ]  # fmt: skip
        if random.random() < 0.1:
            at = now + random.randrange(9) * HOUR
            items.append(
                (
                    f"T{random.randrange(3)}",
                    Given("return", "act", asks=True, as_of=now, read_at=now, due_at=at),
                )
            )
        if random.random() < 0.1:
            items.append(buyer(f"{step}{UNINDEXABLE[1:]}", now - HOUR))
        odd = (SetAside("X", "odd", b"raw"),) if random.random() < 0.1 else ()
        if random.random() < 0.9:
            told[name] = page(*items, set_aside=odd)
    return told


@pytest.mark.parametrize("seed", range(20))
async def test_the_rows_are_those_of_page_after_page(pool, rules, now, seed):
    """Also where members were erased, and where something is refused or set aside."""

    async def page_after_page(db, told, at):
        return {
            name: await ingest.page(db, rules, name, told[name], at, None) for name in sorted(told)
        }

    async def together(db, told, at):
        return await ingest.pages(db, rules, told, at)

    told, found = await came_to(pool, now, seed, together)
    one_by_one, expected = await came_to(pool, now, seed, page_after_page)
    assert told == one_by_one
    for table in TABLES:
        assert found[table] == expected[table], table


async def came_to(pool, now, seed, store):
    """The rows that random pages come to, and what is said of each of these."""
    random, said = Random(seed), []
    async with pages.undone(pool) as db:
        if seed % 2:
            gone = [Member(frozenset({name})) for name in ("Quill-Buyer_7", "Quill-Other")]
            await erasing.ask(db, "mirakl", None, gone, now - HOUR)
        for step in range(5):
            told = pages_of(random, now, step)
            done = await store(db, told, now + step * MINUTE)
            said.append({
                a: (r.received, r.sent, r.changed, r.repeated, r.set_aside, len(r.replied))
                for a, r in done.items()
            })  # fmt: skip
        return said, {table: await rows(db, table) for table in TABLES}


OF_CLOCKS = {
    "clock_entry": "select c.account, c.thread, e.* from clock_entry e join clock c on id = clock",
    "alarm": "select c.account, c.thread, a.* from alarm a join clock c on id = clock",
}
DRAWN = {"clock": 0, "id": 0}


async def rows(db, table):
    """All of *table*, but for numbers that are drawn."""
    sql = OF_CLOCKS.get(table) or f"select * from {table}"
    drawn = DRAWN if table in (*OF_CLOCKS, "clock", "set_aside") else {}
    return sorted(str({**row, **drawn}) for row in await db.fetch(sql))
