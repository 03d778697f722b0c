"""Running clocks as people look at them: the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.store import Db

ALL = 100_000
"""So many lines at most are asked for at once."""

# A superseded clock has no steps: what stands instead of it is listed.
RUNNING = """
    select c.id, c.account, c.thread, t.kind, c.promise, c.waits_for, c.metric, c.started_at,
           c.due_at, c.due_from, c.steps, c.flags, t.url,
           (select max(r.left_at) from reply r
            where r.account = c.account and r.thread = c.thread and r.automatic
              and r.state in ('accepted', 'confirmed') and r.left_at >= c.started_at) as told_at
    from clock c join thread t on t.account = c.account and t.id = c.thread
    where c.ended is null and not c.history and c.steps <> '{}'
      and ($1::timestamptz is null or c.due_at < $1 or c.steps[1] < $1)
    order by c.due_at
    limit $2
"""
HISTORY = """
    select c.id, c.account, c.thread, t.kind, c.promise, c.waits_for, c.metric, c.started_at,
           c.due_at, c.due_from, c.steps, c.flags, t.url, null::timestamptz as told_at
    from clock c join thread t on t.account = c.account and t.id = c.thread
    where c.ended is null and c.history and c.steps <> '{}'
    order by c.due_at
    limit $1
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A running clock and the thread that it is about.

    *acknowledged_at* is when an automatic letter told the buyer that the message arrived.
    """

    id: int
    account: str
    thread: str
    kind: str
    promise: str
    waits_for: str
    metric: str
    started_at: datetime
    due_at: datetime
    due_from: str
    steps: Sequence[datetime]
    flags: Sequence[str]
    url: str | None
    acknowledged_at: datetime | None = None

    def band(self, now: datetime) -> str:
        """How near the deadline is: one of `core.labels.BANDS`."""
        return band(self.due_at, self.steps, now)


def band(due_at: datetime, steps: Sequence[datetime], now: datetime) -> str:
    """How near a deadline is at *now*: one of `core.labels.BANDS`.

    *steps* are the instants of its warnings, and then *due_at*. What asks the database by band says
    the same in SQL: `core.store.board`, `core.store.stats`.
    """
    if due_at < now:
        return "breached"
    warned = sum(step < now for step in steps[:-1])
    if not warned:
        return "ok"
    return "critical" if 1 < len(steps) - 1 == warned else "warning"


async def running(db: Db, limit: int, *, at_risk_at: datetime | None = None) -> list[Running]:
    """Clocks by deadline; with *at_risk_at* only those that were warned of by that instant."""
    return [Running(*row) for row in await db.fetch(RUNNING, at_risk_at, limit)]


async def history(db: Db, limit: int) -> list[Running]:
    """Clocks that were due before their account was watched, and still wait."""
    return [Running(*row) for row in await db.fetch(HISTORY, limit)]
