"""A week in which a marketplace was away: what was written there meanwhile, and what follows.

The week is made by moving the past: what the daemon has stored, and what the marketplace holds, was
all a week earlier. Nothing else of a long absence differs from a short one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from core.store import embedded
from tests.acceptance import market

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from connectors.mirakl.sandbox.inbox import Thread
    from connectors.mirakl.sandbox.server import Sandbox

WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
PROMISE = 2 * HOUR

COLUMNS = """
    select table_name, column_name, udt_name from information_schema.columns
    where table_schema = 'public' and udt_name in ('timestamptz', '_timestamptz')
"""
ONE = """case when "{0}" > '1900-01-01' then "{0}" - interval '7 days' else "{0}" end"""
SEVERAL = """array(
    select at - interval '7 days' from unnest("{0}") with ordinality as each (at, place)
    order by place
)"""
CURSOR = """
    update stream
    set cursor = to_char((cursor::timestamptz - interval '7 days') at time zone 'UTC',
                         'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
    where stream = 'messages' and cursor is not null
"""

GROUP = (
    "open",
    "open",
    "open",
    "in time",
    "in time",
    "in time",
    "in time",
    "late",
    "fresh",
    "soon",
)
"""What becomes of ten threads, one after the other; they hold 18 messages."""

ENDS = {"open": None, "in time": "met", "late": "late", "fresh": None, "soon": None}


@dataclass(slots=True)
class Week:
    """*fates* is what became of each thread, by its id; *asked* when its buyer first wrote."""

    sandbox: Sandbox
    operator: str
    now: datetime
    fates: dict[str, str] = field(default_factory=dict)
    asked: dict[str, datetime] = field(default_factory=dict)

    async def write(self, messages: int) -> None:
        """Buyers wrote about so many *messages* in the week, their shop's people answered."""
        groups = max(1, round(messages / 18))
        count = groups * len(GROUP)
        for n in range(count):
            fate = GROUP[n % len(GROUP)]
            at = self.now - WEEK + (WEEK - 8 * HOUR) * (n / count)
            at = {"fresh": self.now - HOUR / 12, "soon": self.now - 7 * HOUR / 6}.get(fate, at)
            at = at.replace(microsecond=0)  # as the marketplace tells it
            thread = market.shop(self.sandbox, self.operator).open_thread("Where is it?", at=at)
            self._go_on(thread, fate, at)
            self.fates[thread.id], self.asked[thread.id] = fate, thread.messages[0].at
            if n % 50 == 0:
                await asyncio.sleep(0)

    @staticmethod
    def _go_on(thread: Thread, fate: str, at: datetime) -> None:
        if fate == "open":
            thread.buyer_writes("Is anybody there?", at=at + HOUR)
        elif fate == "in time":
            thread.shop_answers("It leaves the house today.", at=at + HOUR / 2)
        elif fate == "late":
            thread.shop_answers("It has left the house.", at=at + 5 * HOUR)

    def count(self) -> Counter[str]:
        """How many threads met which fate."""
        return Counter(self.fates.values())


async def move_back(sandbox: Sandbox) -> None:
    """Let all that the marketplaces hold be a week older."""
    for operator in sandbox.operators.values():
        for thread in operator.threads.values():
            thread.messages = [replace(one, at=one.at - WEEK) for one in thread.messages]
            thread.created_at -= WEEK
            thread.updated_at -= WEEK


async def move_stored_back(state_dir: Path) -> None:
    """Let all that was stored be a week older; the daemon of *state_dir* does not run."""
    async with embedded.join(state_dir) as address:
        db = await asyncpg.connect(**address)
        try:
            async with db.transaction():
                for statement in [*await _moves(db), CURSOR]:
                    await db.execute(statement)
        finally:
            await db.close()


async def _moves(db: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    """A statement for each table that holds instants."""
    by_table: dict[str, list[str]] = {}
    for table, column, kind in await db.fetch(COLUMNS):
        moved = SEVERAL if kind == "_timestamptz" else ONE
        by_table.setdefault(table, []).append(f'"{column}" = {moved.format(column)}')
    return [f'update "{table}" set {", ".join(each)}' for table, each in by_table.items()]
