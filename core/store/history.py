"""Everything stored about threads, read batch by batch: nothing is locked, and nothing written.

However long a history is, one batch of it is held at a time, each as it was at one instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.store import clocks, messages, transaction, unread
from core.store.threads import Locked
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from core.model import ClockRow
    from core.store import Db, Pool
    from core.store.messages import StoredTurn
    from sla.clock import Given

BATCH = 500
READ_ONLY = "set transaction isolation level repeatable read, read only"
# As `threads.outdated`, in pages: whatever waits since then was stored then or later.
THREADS = """
    select id, kind, incomplete, erased_at, language_set from thread t
    where account = $1 and id > $2 and ($3::timestamptz is null
        or exists (select from message m
                   where m.account = $1 and m.thread = t.id and m.seen_at >= $3)
        or exists (select from given g
                   where g.account = $1 and g.thread = t.id and g.read_at >= $3))
    order by id
    limit $4
"""


class Batch(NamedTuple):
    """Some threads of one account, with all their turns, readings and clocks."""

    threads: dict[str, Locked]
    turns: Mapping[str, Sequence[StoredTurn]]
    given: Mapping[str, Sequence[Given]]
    rows: Sequence[ClockRow]


async def batches(
    pool: Pool, account: str, since: datetime | None = None, size: int = BATCH
) -> AsyncIterator[Batch]:
    """The threads of *account* of which something was stored *since* then, all without it, by id.

    Raises:
        StoreUnavailable: the database went away.
    """
    after = ""
    while True:
        async with transaction(pool) as db:
            await db.execute(READ_ONLY)
            found = await _batch(db, account, after, since, size)
        if found.threads:
            yield found
        if len(found.threads) < size:
            return
        after = next(reversed(found.threads))


async def _batch(db: Db, account: str, after: str, since: datetime | None, size: int) -> Batch:
    rows = await db.fetch(THREADS, account, after, since, size)
    threads = {id_: Locked(ThreadKind(kind), *state) for id_, kind, *state in rows}
    ids = list(threads)
    turns = await messages.turns(db, account, ids)
    return Batch(
        threads,
        turns,
        await unread.given(db, account, ids, turns),
        await clocks.of_threads(db, account, ids),
    )
