"""Lets the product read hostile letters out of a real mailbox, and asks what became of each.

A batch is a life of one account: a mailbox of its own, an empty database, and behind every few
letters a good one, which is to be read whatever lies before it.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import prometheus_client

from connectors import amazon
from core import ingest, log, poll
from core.connector import Transport
from core.errors import Refused
from core.metrics import Metrics
from core.model import Draft, Thread
from core.poll import Reader
from core.rules import Rules
from core.store import legible, transaction
from core.transport.smtp import Smtp
from tests.acceptance.mill import EMPTIED, MOVED, SPOKEN, XID, Hostile
from tests.connectors.amazon.letters import NOW, SENT
from tests.connectors.amazon.letters import options as amazon_options
from tests.connectors.amazon.travelled import CANARY
from tests.core import pages, seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.store import Pool
    from core.transport.http import Http
    from core.transport.mailbox import Mailboxes
    from tests.acceptance.mailmaker import Posted

ACCOUNT, MAIL, WORKER = "amz", "mail", 1
MESSAGES = "amazon-message"
"""The promise of buyers' letters; all others are of what a letter of Amazon's asks for."""

SECONDS = 20.0
"""How much of a processor's time it may take to read a group of letters."""

STORED = "select id, thread, party::text, kind::text from message where account = $1"
ASIDE = "select source_id, reason from set_aside where account = $1"
CLOCKS = """
    select thread, promise, started_by, started_at, due_at, ended from clock where account = $1
"""
SUSPECTS = "select id, reply_to, as_of from thread where account = $1 and id like 'suspect:%'"


class Office(Protocol):
    """A mail server. `moved_in` gives a new mailbox, as options say it; `deliver` puts letters into
    it, and returns them as the server gives them to another program."""

    async def moved_in(self) -> dict[str, Any]: ...

    async def deliver(self, letters: Sequence[Posted]) -> list[Posted]: ...


@dataclass(slots=True)
class Figures:
    """What was seen: letters and what became of them, walks and how they ended."""

    letters: int = 0
    good: int = 0
    bytes: int = 0
    messages: int = 0
    aside: int = 0
    suspicious: int = 0
    clocks: int = 0
    refused: int = 0
    slowest: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)

    def rows(self) -> list[tuple[str, object]]:
        """All but how each letter was made."""
        told = [each.name for each in fields(self) if each.name != "made"]
        return [(name, getattr(self, name)) for name in told]


class MailMill:
    """One database, and one account that reads a mailbox of *office*."""

    def __init__(self, pool: Pool, office: Office, mailboxes: Mailboxes, http: Http) -> None:
        self.pool, self.office = pool, office
        self.transport = Transport(http, mailboxes=mailboxes, smtp=Smtp())
        self.figures = Figures()
        self.log = io.StringIO()
        self.metrics = Metrics()
        log.set_up("json", "debug", stream=self.log)

    async def begin(self) -> None:
        """An empty database, and another mailbox."""
        self.posted: list[Posted] = []
        options = amazon_options(**await self.office.moved_in())
        told = {"connector": "amazon", "marketplace": "amazon-de"}
        streams = tuple(amazon.spec.streams(options))
        account = seeds.account(ACCOUNT, **told)
        routing = seeds.rules(accounts=(ACCOUNT,)).routing
        self.rules = Rules({ACCOUNT: account}, {ACCOUNT: amazon.spec.policies(options)}, routing)
        async with self.pool.acquire() as db:
            await db.execute(EMPTIED)
        setup = pages.setup(ACCOUNT, *streams, budget=ACCOUNT, **told)
        await pages.monitored(self.pool, NOW - timedelta(days=60), setup)
        self.connector = amazon.spec.open(options, self.transport)
        self.reader = Reader(account, self.connector, {MAIL: streams[0]}, ACCOUNT)

    async def grind(self, letters: Sequence[Posted]) -> None:
        """Let *letters* arrive and be read, and look at what became of all so far.

        Raises:
            Hostile: one was lost, told a lie, harmed another, or took too long.
        """
        letters = await self.office.deliver(letters)
        self.posted += letters
        began = time.process_time()
        told = await poll.account(
            self.pool, WORKER, self.reader, self.rules, self.metrics, NOW, stream=MAIL
        )
        seconds = time.process_time() - began
        self._count(letters, told[MAIL][0], seconds)
        await self._look()
        if seconds > SECONDS:
            raise Hostile(f"it took {seconds:.1f} s")

    def _count(self, letters: Sequence[Posted], outcome: str, seconds: float) -> None:
        figures = self.figures
        figures.letters += len(letters)
        figures.good += sum(one.is_good for one in letters)
        figures.bytes += sum(len(one.raw) for one in letters)
        figures.slowest = max(figures.slowest, seconds)
        figures.ends[outcome] += 1
        figures.made.update(one.made.partition(": ")[2] for one in letters)
        if outcome not in {"success", "partial"}:
            raise Hostile(f"the walk ended with {outcome}: {self.log.getvalue()[-1500:]}")

    async def _look(self) -> None:
        async with self.pool.acquire() as db:
            stored = {row["id"]: row for row in await db.fetch(STORED, ACCOUNT)}
            aside = await db.fetch(ASIDE, ACCOUNT)
            clocks = await db.fetch(CLOCKS, ACCOUNT)
        reasons: dict[str, list[str]] = {}
        for row in aside:
            reasons.setdefault(row["source_id"], []).append(row["reason"])
        for one in self.posted:
            self._found(one, stored, reasons)
        self._false(clocks, stored)
        self._good(clocks)
        suspects = sum(id_.startswith("suspect:") for id_ in stored)
        self.now = {
            "messages": len(stored), "aside": len(aside), "clocks": len(clocks),
            "suspicious": suspects,
        }  # fmt: skip

    def _found(self, one: Posted, stored: dict[str, Any], reasons: dict[str, list[str]]) -> None:
        """It is a message or set aside; forged, it stands alone and somebody is told."""
        told = reasons.get(legible(one.name), [])
        if one.name not in stored and one.suspect not in stored and not told:
            raise Hostile(f"neither stored nor set aside: {one.made}\n{one.raw[:1500]!r}")
        if one.suspect in stored:
            if not any(reason.startswith("suspicious") for reason in told):
                raise Hostile(f"forged, and nobody is told: {one.made}")
            if not stored[one.suspect]["thread"].startswith("suspect:"):
                raise Hostile(f"forged, and among real letters: {one.made}")

    def _false(self, clocks: Sequence[Any], stored: dict[str, Any]) -> None:
        """No clock but of what an outsider may take for a letter that starts one."""
        opens = {one.name for one in self.posted if one.may_open}
        asks = {one.name for one in self.posted if one.may_ask}
        asking = {stored[name]["thread"] for name in asks if name in stored}
        for clock in clocks:
            if clock["promise"] != MESSAGES:
                if clock["thread"] not in asking:
                    raise Hostile(f"a deadline that nobody gave: {dict(clock)}")
            elif clock["started_by"] not in opens:
                made = [one.made for one in self.posted if one.name == clock["started_by"]]
                raise Hostile(f"a false clock: {made} {dict(clock)}")

    def _good(self, clocks: Sequence[Any]) -> None:
        """Every good letter has its clock, from Amazon's stamp, and it runs."""
        running = {
            clock["started_by"]: clock["started_at"]
            for clock in clocks
            if clock["ended"] is None and clock["promise"] == MESSAGES
        }
        for one in self.posted:
            if one.is_good and running.get(one.name) != SENT:
                raise Hostile(f"a good letter has no clock of its own: {one.name}")

    async def end(self) -> None:
        """Look at the whole once more: rows are what is computed, nothing has leaked."""
        async with self.pool.acquire() as db:
            since = await db.fetchval(XID)
            threads = [row["id"] for row in await db.fetch("select id from thread")]
            suspects = await db.fetch(SUSPECTS, ACCOUNT)
        await self._unanswered(suspects)
        async with transaction(self.pool) as db:
            await ingest.recompute(db, self.rules, ACCOUNT, threads, NOW)
        async with self.pool.acquire() as db:
            if moved := await db.fetch(MOVED, since):
                raise Hostile(f"computed again it is another clock: {moved[:3]}")
            if wrong := await seeds.wrong_alarms(db):
                raise Hostile(f"not the alarms of the clocks: {wrong}")
            spoken = [row["said"] or "" for row in await db.fetch(SPOKEN)]
        self._kept_to_itself("\n".join(spoken))
        await self.transport.mailboxes.close()
        for name, n in self.now.items():
            setattr(self.figures, name, getattr(self.figures, name) + n)

    async def _unanswered(self, suspects: Sequence[Any]) -> None:
        """Whoever answers a forged letter is refused: nothing leaves."""
        for row in suspects:
            thread = Thread(id=row["id"], as_of=row["as_of"], reply_to={"alias": "x@evil.example"})
            draft = Draft(id=1, account=ACCOUNT, thread=row["id"], body="hello", queued_at=NOW)
            try:
                await self.connector.reply(thread, draft, NOW)
            except Refused:
                self.figures.refused += 1
            else:
                raise Hostile("a forged letter is answered")
            if len(row["reply_to"]) > len("{}"):
                raise Hostile("a forged letter says whom to answer")

    def _kept_to_itself(self, spoken: str) -> None:
        exported = prometheus_client.generate_latest(self.metrics.registry).decode()
        for where, text in (("rows", spoken), ("log", self.log.getvalue()), ("metrics", exported)):
            at = text.lower().find(CANARY)
            if at >= 0:
                raise Hostile(f"a buyer's text is in {where}: {text[max(0, at - 300) : at + 99]}")
        self.log.seek(0)
        self.log.truncate()
