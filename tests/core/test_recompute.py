"""Random threads against a real database: the rows are the pure list, and the memory holds."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict

import pytest

from core import ingest, watch
from core.rules import Rules
from core.running import takeover
from core.store import clocks, messages, policies, readings, threads, transaction
from core.store import steps as steps_of
from sla.clock import Given, Kind
from sla.clock import clocks as clocks_of
from sla.policy import ThreadKind
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, mark, page, seller, setup

CASES = 300
THREADS = ("A", "B", "C")
VOID = {"gone", "merged"}
EMPTIED = ";".join(
    f"delete from {table}" for table in (
        "alarm", "clock_entry", "clock", "given", "message", "thread", "stream", "notice",
        "dispatch", "tally", "promise", "policy_version", "account",
    )
)  # fmt: skip


@pytest.fixture(autouse=True)
async def without_debugging():
    """Thousands of transactions: asyncio's own bookkeeping of them costs five times their work."""
    asyncio.get_running_loop().set_debug(False)


@pytest.fixture
def rules():
    base = seeds.rules()
    promises = (
        seeds.policy("contract", reply_within=4 * HOUR),
        seeds.policy("goal", role="goal", reply_within=HOUR, warn=(0.5, 10 * MINUTE)),
        seeds.policy("window", reply_within=6 * HOUR, counts_from="latest"),
    )
    return Rules(base.accounts, {"mk": promises}, base.routing)


LATER = {
    "later": {"reply_within": 2 * HOUR},
    "latest": {"reply_within": 3 * HOUR, "counts_from": "latest"},
}


class Case:
    """One account whose marketplace tells some turns in any order, and changes its mind."""

    def __init__(self, seed, pool, rules, now):
        self.random = random.Random(seed)
        self.pool, self.rules, self.now = pool, rules, now
        self.promised = list(rules.policies["mk"])
        self.start = now
        self.told = {}
        self.made = 0

    async def play(self):
        await pages.monitored(self.pool, self.now - HOUR, setup())
        await self.promise()
        steps = (
            self.page, self.page, self.page, self.push, self.moved_date, self.moved_thread,
            self.withdrawn, self.refused, self.agent_marks, self.reclassified, self.reading,
            self.watch, self.watch, self.read_through, self.repeated, self.away_and_back,
            self.promised_later, self.clock_ahead, self.clock_put_right,
        )  # fmt: skip
        for _ in range(self.random.randint(4, 16)):
            await self.random.choice(steps)()
            self.now += self.random.choice((0, 1, 7, 20, 65, 150)) * MINUTE
        await self.clock_put_right()
        await seeds.watched(self.pool, self.rules, self.now)
        await self.agrees()
        await self.remembers()

    def instant(self):
        """Mostly lately, sometimes long ago, at the same instant as another, or in the future."""
        back = self.random.choice((0, 1, 5, 5, 30, 90, 200, 400, -20))
        return self.now - back * MINUTE

    def turn(self):
        """A turn that was not told yet."""
        self.made += 1
        id_, at, thread = f"M{self.made}", self.instant(), self.random.choice(THREADS)
        kind = self.random.choice((buyer, buyer, buyer, seller, seller, mark))
        made = kind(id_, at, thread)
        if kind is seller and self.random.random() < 0.3:
            how = self.random.choice(("accepted", "unknown", "refused"))
            made = made.model_copy(update={"delivery": how, "origin": "ours"})
        self.told[id_] = made
        return made

    async def store(self, *items):
        sure = self.random.random() < 0.9
        await pages.stored(self.pool, self.now, *items, of=self.rules, sure=sure)

    async def page(self):
        await self.store(*(self.turn() for _ in range(self.random.randint(1, 5))))

    async def push(self):
        await self.store(self.turn())

    async def repeated(self):
        old = list(self.told.values())
        self.random.shuffle(old)
        await self.store(*old[:4], *(self.turn() for _ in range(self.random.randint(0, 1))))

    async def changed(self, **changes):
        if self.told:
            id_ = self.random.choice(list(self.told))
            self.told[id_] = self.told[id_].model_copy(update=changes)
            await self.store(self.told[id_])

    async def moved_date(self):
        await self.changed(sent_at=self.instant())

    async def moved_thread(self):
        await self.changed(thread=self.random.choice(THREADS))

    async def withdrawn(self):
        buyers = [m for m in self.told.values() if m.party == "buyer"]
        if buyers:
            one = self.random.choice(buyers)
            self.told[one.id] = one.model_copy(update={"kind": Kind.WITHDRAWN})
            await self.store(self.told[one.id])

    async def refused(self):
        sellers = [m for m in self.told.values() if m.party == "seller"]
        if sellers:
            one = self.random.choice(sellers)
            self.told[one.id] = one.model_copy(update={"delivery": "refused"})
            await self.store(self.told[one.id])

    async def agent_marks(self):
        """As core.marks does: an agent's own turn, made now."""
        self.made += 1
        name = self.random.choice(THREADS)
        made = seller(
            f"mark/{self.made}", self.now, name, kind=Kind.NO_REPLY_NEEDED,
            level=self.random.choice(("guessed", "decided", "marked")), origin="ours",
        )  # fmt: skip
        async with transaction(self.pool) as db:
            await threads.add_bare(db, "mk", [name])
            await threads.lock(db, "mk", [name])
            await messages.add(db, "mk", [messages.told(made)], self.now)
            await ingest.recompute(db, self.rules, "mk", [name], self.now)

    async def reclassified(self):
        if not self.told:
            return
        one = self.told[self.random.choice(list(self.told))]
        kind = self.random.choice((None, "automatic", "message", "internal"))
        async with transaction(self.pool) as db:
            await threads.lock(db, "mk", [one.thread])
            await db.execute("update message set kind_corrected = $2 where id = $1", one.id, kind)
            await ingest.recompute(db, self.rules, "mk", [one.thread], self.now)

    async def reading(self):
        """A deadline or a start that the marketplace gives, moves, or takes back."""
        name, at = self.random.choice(THREADS), self.instant()
        due = self.random.choice((None, at + HOUR, at + 5 * HOUR))
        given = Given(
            kind="message", act="answer" if due else "", asks=self.random.random() < 0.7,
            as_of=self.instant(), read_at=self.now, due_at=due, starts_at=None if due else at,
        )  # fmt: skip
        await self.store((name, given))

    async def read_through(self):
        async with self.pool.acquire() as db:
            await db.execute("update stream set seen_through = $1", self.now)

    async def watch(self):
        await seeds.watched(self.pool, self.rules, self.now, sure=self.random.random() < 0.9)

    async def promise(self):
        """The promises as the settings name them now; what follows is computed at once."""
        async with transaction(self.pool) as db:
            versions = await policies.load(db, {"mk": self.promised}, self.now)
        self.rules = Rules(self.rules.accounts, versions, self.rules.routing)
        await takeover.bring_up_to_date(self.pool, self.rules, self.now)

    async def promised_later(self):
        """A promise that the account gets now, with a date before, ahead, or none."""
        left = [name for name in LATER if name not in {p.name for p in self.promised}]
        if left:
            since = self.random.choice((None, self.now + HOUR, *[self.instant()] * 3))
            said = {"role": "goal", "effective_from": since, **LATER[left[0]]}
            self.promised.append(seeds.policy(left[0], **said))
            await self.promise()

    async def away_and_back(self):
        """The account leaves the settings and returns; a page that is read meanwhile is dropped."""
        await pages.monitored(self.pool, self.now, setup("other"))
        self.now += self.random.choice((0, 1, 20, 150)) * MINUTE
        await self.random.choice((self.watch, self.agent_marks, self.read_through))()
        self.now += MINUTE
        await pages.monitored(self.pool, self.now, setup())
        await takeover.bring_up_to_date(self.pool, self.rules, self.now)

    async def clock_ahead(self):
        """The host's clock runs ahead, and nobody knows."""
        ahead = self.random.choice((20, 150, 400)) * MINUTE
        await seeds.watched(self.pool, self.rules, self.now + ahead)

    async def clock_put_right(self):
        await watch.take_back(self.pool, self.rules, self.now)
        async with transaction(self.pool) as db:
            assert await steps_of.told_ahead(db, self.now) == {}

    async def agrees(self):
        """What the rows say is what is computed from the turns as they are stored."""
        async with transaction(self.pool) as db:
            turns = await messages.turns(db, "mk", THREADS)
            given = await readings.of(db, "mk", THREADS)
            promises = self.rules.promises("mk", ThreadKind.MESSAGE)
            for name in THREADS:
                rows = await clocks.of_thread(db, "mk", name)
                live = [row.clock for row in rows if row.clock.reason not in VOID]
                pure = clocks_of(turns[name], promises, given[name], kind=ThreadKind.MESSAGE)
                assert sorted(live, key=repr) == sorted(pure, key=repr)

    async def remembers(self):
        """No step is told twice; what was told or counted has its row, its end and its alarm."""
        async with transaction(self.pool) as db:
            assert await seeds.wrong_alarms(db) == {}
        rows = {row["id"]: row for row in await pages.rows(self.pool, "clock")}
        told = defaultdict(list)
        for notice in await pages.rows(self.pool, "notice"):
            if notice["kind"] in {"warning", "breach"}:
                clock, revision, step = map(int, notice["key"].split("/"))
                assert clock in rows
                told[clock, revision].append(step)
        for steps in told.values():
            assert steps == sorted(set(steps))
        for row in rows.values():
            alert = row["steps"][row["step"]] if row["step"] < len(row["steps"]) else None
            silent = row["history"] or row["ended"]
            assert row["next_alert_at"] == (None if silent else alert)
            if row["ended"] == "late" and row["steps"] and not row["history"]:
                assert row["breached_at"] >= row["due_at"]
                assert row["corrected_at"] is None
            if row["breached_at"] and (row["ended"] == "met" or row["reason"] == "gone"):
                assert row["corrected_at"] is not None


@pytest.mark.timeout(180)
async def test_rows_are_the_pure_list_whatever_arrives_in_whatever_order(pool, rules, now):
    for seed in range(CASES):
        async with pool.acquire() as db:
            await db.execute(EMPTIED)
        case = Case(seed, pool, rules, now)
        try:
            await case.play()
        except Exception as fault:
            fault.add_note(f"seed {seed}")
            raise


async def test_any_order_of_arrival_ends_in_the_same_clocks(pool, rules, now):
    """The same turns, all seen when they had been sent: page by page, shuffled, or at once."""
    for seed in range(20):
        told = Case(seed, pool, rules, now - HOUR)
        turns = [told.turn() for _ in range(12)]
        turns = [t.model_copy(update={"sent_at": min(t.sent_at, now - HOUR)}) for t in turns]
        found = set()
        for _ in range(3):
            async with pool.acquire() as db:
                await db.execute(EMPTIED)
            await pages.monitored(pool, now - 9 * HOUR, setup())
            told.random.shuffle(turns)
            size = told.random.choice((1, 3, 12))
            for n in range(0, len(turns), size):
                async with transaction(pool) as db:
                    await ingest.page(db, rules, "mk", page(*turns[n : n + size]), now, None)
            async with transaction(pool) as db:
                rows = [r for t in THREADS for r in await clocks.of_thread(db, "mk", t)]
            found.add(repr(sorted(repr(r.clock) for r in rows if r.clock.reason not in VOID)))
        assert len(found) == 1, f"seed {seed}"
