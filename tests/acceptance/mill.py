"""Grinds hostile payloads: as the daemon reads them, into a real database, each one looked at.

A batch is a life of one account: threads that nobody touches stand there, walks bring payload after
payload, and after each walk it is asked what became of every single thing.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import prometheus_client

from connectors import mirakl
from core import ingest, log, poll
from core.connector import Transport
from core.metrics import Metrics
from core.poll import Reader
from core.rules import Rules
from core.store import legible, transaction
from core.transport.http import Http, Limits, open_session
from tests.acceptance import accounted
from tests.acceptance.accounted import UNREADABLE, Books
from tests.acceptance.moulds import CANARY, NOW, Payload, messages_of, page
from tests.acceptance.mutation import written
from tests.acceptance.wire import Program, Wireless, wired
from tests.core import pages, seeds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.store import Pool
    from tests.acceptance.moulds import Moulds

ACCOUNT, OTHER = "mk", "twin"
STREAMS = {"M11": "messages", "OR11": "incidents", "A01": "report"}
WORKER = 1
SECONDS = 2.0
"""How much of a processor's time a walk may take."""

QUICK = Limits(attempts=2, first_wait=0.0, longest_wait=0.0, patience=0.0, total=10.0)
HARMLESS = frozenset({"success", "partial"})
UNREAD = frozenset({"parse_error"})
NO_TOKEN = "M11: next_page_token is no text"
TABLES = (
    "alarm", "clock_entry", "clock", "given", "raw_message", "message", "reply", "thread", "stream",
    "notice", "dispatch", "tally", "promise", "policy_version", "set_aside", "published",
    "tombstone", "budget", "account",
)  # fmt: skip
EMPTIED = f"truncate {', '.join(TABLES)} cascade"
XID = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
# Whatever a transaction since then has written is younger than it.
MOVED = "select distinct account, thread from clock where xmin::text::bigint >= $1"
IDS = """
    select 'thread' as what, id from thread where account = $1 and xmin::text::bigint >= $2
    union all
    select 'message', id from message where account = $1 and xmin::text::bigint >= $2
"""
ASIDE = """
    select source_id, reason, raw from set_aside
    where account = $1 and xmin::text::bigint >= $2
"""
SPOKEN = """
    select reason as said from set_aside
    union all select error from stream
    union all select facts::text || key from notice
"""


class Hostile(AssertionError):
    """A payload did what none may do."""


@dataclass(slots=True)
class Figures:
    """What was seen: payloads and walks, how walks ended, what was stored and set aside."""

    payloads: int = 0
    bytes: int = 0
    walks: int = 0
    wired: int = 0
    stored: int = 0
    aside: int = 0
    slowest: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)


class Mill:
    """One database, one account that is read and one that only has the same ids."""

    def __init__(self, pool: Pool, moulds: Moulds) -> None:
        self.pool = pool
        self.moulds = moulds
        self.figures = Figures()
        self.log = io.StringIO()
        self.metrics = Metrics()
        promises = (
            seeds.policy("contract"),
            seeds.policy("goal", role="goal", reply_within=timedelta(hours=4), warn=(0.5, 0.75)),
            seeds.policy("window", reply_within=timedelta(hours=6), counts_from="latest"),
        )
        base = seeds.rules(accounts=(ACCOUNT, OTHER))
        self.rules = Rules(base.accounts, dict.fromkeys(base.accounts, promises), base.routing)
        self.seconds = SECONDS
        self._open()
        log.set_up("json", "debug", stream=self.log)

    def _open(self) -> None:
        self.program = Program()
        self.books = Books()
        self.homes: dict[str, set[str]] = {}

    @property
    def known(self) -> list[str]:
        """Ids of threads and messages that nobody is to touch unless they are named."""
        return [*self.homes, *{home for homes in self.homes.values() for home in homes}]

    async def begin(self) -> None:
        """Empty the database; both accounts have the same threads, read as usual."""
        self._open()
        async with self.pool.acquire() as db:
            await db.execute(EMPTIED)
        streams = tuple(mirakl.spec.streams(_options("http://127.0.0.1")))
        setups = [pages.setup(name, *streams, budget=name) for name in (ACCOUNT, OTHER)]
        await pages.monitored(self.pool, NOW - timedelta(days=3), *setups)
        threads = self.moulds.clean("M11", "-by")
        bodies = [
            Payload(
                "M11", written(page("M11", threads)), {t["id"]: messages_of(t) for t in threads}
            ),
            Payload("OR11", written(page("OR11", self.moulds.clean("OR11", "-by")))),
        ]
        for account in (OTHER, ACCOUNT):
            await self.grind(bodies, account=account)

    async def grind(
        self, payloads: Sequence[Payload], *, account: str = ACCOUNT, real: bool = False
    ) -> None:
        """Let *payloads* be read, walk by walk, and look at each of them.

        Raises:
            Hostile: one was lost, moved what it does not name, told its text, or took too long.
        """
        for payload in payloads:
            self.program.add(payload)
        async with self._reader(account, real=real) as reader:
            for operation, stream in STREAMS.items():
                while left := self.program.left(operation):
                    await self._walk(reader, stream, real=real)
                    if self.program.left(operation) == left:
                        raise Hostile(f"{stream}: nothing more is asked for")
        for payloads_ in self.program.waiting.values():
            payloads_.clear()  # reasons that nobody asked for

    @asynccontextmanager
    async def _reader(self, account: str, *, real: bool) -> AsyncIterator[Reader]:
        if not real:
            yield self._read_by(account, Wireless(self.program), "http://127.0.0.1")
            return
        async with wired(self.program) as url, open_session() as session:
            yield self._read_by(account, session, url)

    def _read_by(self, account: str, session: object, url: str) -> Reader:
        options = _options(url)
        connector = mirakl.spec.open(options, Transport(Http(session, limits=QUICK)))
        streams = {stream.name: stream for stream in mirakl.spec.streams(options)}
        return Reader(self.rules.accounts[account], connector, streams, account)

    async def _walk(self, reader: Reader, stream: str, *, real: bool) -> None:
        self.program.answered.clear()
        async with self.pool.acquire() as db:
            since = await db.fetchval(XID)
        began = time.process_time()
        outcome = await self._polled(reader, stream, real=real)
        seconds = time.process_time() - began
        self._count(outcome, seconds, real=real)
        await self._look(reader.account.name, outcome, since)
        if seconds > self.seconds:
            raise Hostile(f"it took {seconds:.1f} s")

    async def _polled(self, reader: Reader, stream: str, *, real: bool) -> str:
        """How the walk ended, by a person's wish, or because it is due."""
        name = reader.account.name
        if not real:
            found = await poll.account(
                self.pool, WORKER, reader, self.rules, self.metrics, NOW, stream=stream
            )
            return found[stream][0]
        before = dict(self._polls(name))
        async with self.pool.acquire() as db:
            await db.execute(
                "update stream set next_due = case when account = $1 and stream = $2 then now()"
                " else now() + interval '1 day' end",
                name, stream,
            )  # fmt: skip
        await poll.once(self.pool, WORKER, {name: reader}, self.rules, self.metrics, NOW)
        return next(end for end, n in self._polls(name).items() if n > before.get(end, 0))

    def _polls(self, account: str) -> dict[str, float]:
        """How many walks ended how, as the metrics say."""
        (family,) = (f for f in self.metrics.registry.collect() if f.name == "replyby_polls")
        return {
            sample.labels["outcome"]: sample.value
            for sample in family.samples
            if sample.labels["account"] == account
        }

    def _count(self, outcome: str, seconds: float, *, real: bool) -> None:
        figures, answered = self.figures, self.program.answered
        figures.payloads += len(answered)
        figures.bytes += sum(len(payload.body) for payload in answered)
        figures.walks += 1
        figures.wired += len(answered) if real else 0
        figures.slowest = max(figures.slowest, seconds)
        figures.ends[outcome] += 1
        figures.made.update(name for payload in answered for name in payload.made)

    async def _look(self, account: str, outcome: str, since: int) -> None:
        """Ask what became of everything that was answered."""
        aside = await self._booked(account, since)
        answered = self.program.answered
        broken = None
        if outcome not in HARMLESS:
            fetched = [payload for payload in answered if payload.operation in STREAMS]
            is_read = ("page", NO_TOKEN) in aside  # the page was; there is no next one
            broken = None if is_read or not fetched else fetched[-1]
            self._broken(outcome, broken, aside)
        touched: set[str] = set()
        for payload in answered:
            content = accounted.decoded(payload.body)
            if content is UNREADABLE:
                if payload is not broken and not payload.torn:
                    self._unread(payload, aside)
                continue
            touched.update(self._named(payload, content))
            if payload is not broken and not payload.torn:
                self._complete(payload, content)
        await self._untouched(account, touched, since)

    async def _booked(self, account: str, since: int) -> list[tuple[str, str]]:
        """Enter what was written; the sources and reasons of what was set aside just now."""
        books = self.books
        async with self.pool.acquire() as db:
            ids = await db.fetch(IDS, account, since)
            aside = await db.fetch(ASIDE, account, since)
        for what, id_ in ids:
            (books.threads if what == "thread" else books.messages).add(id_)
            mark = id_.find("/no-reply-needed/")
            if mark > 0:
                books.marked.add(id_[:mark])
        for source, reason, raw in aside:
            books.put_aside(source, reason, raw)
        self.figures.stored += len(ids)
        self.figures.aside += len(aside)
        return [(source, reason) for source, reason, _ in aside]

    def _broken(
        self, outcome: str, broken: Payload | None, aside: Sequence[tuple[str, str]]
    ) -> None:
        """A walk that broke off did so for a reason that is allowed, and says which page."""
        if outcome in UNREAD:
            if not any(source == "page" for source, _ in aside):
                raise Hostile("the walk broke off and no page is set aside")
            if any(reason.startswith("crashed") for _, reason in aside):
                raise Hostile(f"the reading crashed: {self.log.getvalue()[-1200:]}")
        elif broken is None or not broken.torn:
            raise Hostile(f"a whole answer ended the walk with {outcome}")
        if broken is not None and broken.whole:
            raise Hostile("the neighbours of what is odd are lost with it")

    def _unread(self, payload: Payload, aside: Sequence[tuple[str, str]]) -> None:
        """What is no JSON is kept as a whole, in place of what had been asked for."""
        if payload.whole:
            raise Hostile("made to be readable, and is not: the fault is the test's")
        if not any(reason.startswith(payload.operation) for _, reason in aside):
            raise Hostile("no JSON, and nobody knows")

    def _named(self, payload: Payload, content: object) -> set[str]:
        """The threads that *content* may move: those it names, and the homes of its messages."""
        named = set(accounted.scalars(content))
        touched = named.union(*(self.homes.get(name, ()) for name in named))
        if payload.operation == "OR11":
            orders = {accounted.incident(name, "") for name in named}
            touched |= {t for t in self.books.threads if f"{t.rpartition(':')[0]}:" in orders}
        else:
            self._remember(content)
        return touched

    def _remember(self, content: object) -> None:
        threads = content.get("data") if isinstance(content, dict) else None
        for thread in threads if isinstance(threads, list) else [content]:
            name = accounted.text_of(thread.get("id")) if isinstance(thread, dict) else None
            if name is not None:
                for one in accounted.scalars(thread.get("messages")):
                    self.homes.setdefault(one, set()).add(name)

    def _complete(self, payload: Payload, content: object) -> None:
        lost = accounted.lost(payload.operation, content, self.books)
        if lost:
            raise Hostile(f"neither stored nor set aside: {', '.join(lost[:5])}")
        for thread, messages in payload.whole.items():
            if thread not in self.books.threads or not messages <= self.books.messages:
                raise Hostile(f"a neighbour is not stored: {thread}")

    async def _untouched(self, account: str, touched: set[str], since: int) -> None:
        async with self.pool.acquire() as db:
            moved = await db.fetch(MOVED, since)
        for whose, thread in moved:
            if whose != account:
                raise Hostile("a clock of another account moved")
            if thread not in touched and legible(thread) not in touched:
                raise Hostile(f"the clock of a thread moved that nobody named: {thread}")

    async def end(self) -> None:
        """Look at the whole once more: the rows are what is computed, and no text has leaked."""
        async with self.pool.acquire() as db:
            since = await db.fetchval(XID)
            threads = [
                row["id"]
                for row in await db.fetch("select id from thread where account = $1", ACCOUNT)
            ]
        async with transaction(self.pool) as db:
            await ingest.recompute(db, self.rules, ACCOUNT, threads, NOW)
        async with self.pool.acquire() as db:
            if moved := await db.fetch(MOVED, since):
                raise Hostile(f"computed again it is another clock: {moved[:3]}")
            if wrong := await seeds.wrong_alarms(db):
                raise Hostile(f"not the alarms of the clocks: {wrong}")
            spoken = [row["said"] or "" for row in await db.fetch(SPOKEN)]
        exported = prometheus_client.generate_latest(self.metrics.registry).decode()
        for where, text in (
            ("rows", "\n".join(spoken)),
            ("log", self.log.getvalue()),
            ("metrics", exported),
        ):
            if CANARY in text.lower():
                raise Hostile(f"a buyer's text stands in {where}: {_around(text)}")
        self.log.seek(0)
        self.log.truncate()


def _around(text: str) -> str:
    at = text.lower().index(CANARY)
    return text[max(0, at - 300) : at + 100]


def _options(url: str) -> object:
    return mirakl.spec.options(base_url=url, api_key="the-key", shop_id=2000, operator="op")
