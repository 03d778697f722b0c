"""What goes along with clocks that move to another thread: who works on it, and what climbs.

Threads merge and split. In the transaction that moves the clocks, both threads held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from core.model import ClockRow
    from core.store import Db

CLIMBING = """
    update escalation e set thread = c.thread
    from clock c
    where c.id = e.clock and e.clock = any($1) and e.thread is distinct from c.thread
"""
# Whose time is over works on nothing, whether or not that was written down.
LAPSED = """
    update claim set ended = 'lapsed', ended_at = until
    where account = $1 and thread = any($2) and ended_at is null and until <= $3
"""
# Where nothing is left to work on, and nobody works on the other.
CLAIMED = """
    update claim k set thread = w.now_in
    from unnest($2::text[], $3::text[]) as w (was_in, now_in)
    where k.account = $1 and k.thread = w.was_in and k.ended_at is null and k.until > $4
      and not exists (
          select from clock c
          where c.account = $1 and c.thread = w.was_in and c.ended is null and not c.history
            and c.steps <> '{}'
      ) and not exists (
          select from claim other
          where other.account = $1 and other.thread = w.now_in and other.ended_at is null
      )
"""


async def follow(
    db: Db,
    account: str,
    before: Iterable[ClockRow],
    changed: Collection[ClockRow],
    now: datetime,
) -> None:
    """Let go along what belongs to clocks of *account* that are in another thread than *before*."""
    if not changed:
        return
    was_in = {row.id: row.thread for row in before}
    moved = [row for row in changed if was_in.get(row.id, row.thread) != row.thread]
    if not moved:
        return
    await db.execute(CLIMBING, [row.id for row in moved])
    # One claim a thread: of those that come from several, the first goes along.
    comes_from = {row.thread: was_in[row.id] for row in reversed(moved)}
    goes_to = {old: new for new, old in comes_from.items()}
    await db.execute(LAPSED, account, list(comes_from), now)
    await db.execute(CLAIMED, account, list(goes_to), list(goes_to.values()), now)
