"""What was accepted, and not refused by the time its marketplace takes to say so, is confirmed.

It is a silence only where somebody listened: until the last complete walk of every stream that
carries clocks. A refusal that comes later still refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.store import statement, verdicts

if TYPE_CHECKING:
    from core.reading.walk import Round, Walk


async def after(this: Round, walk: Walk) -> None:
    """After a complete walk: what nothing was heard against, where the marketplace has a time."""
    grace = walk.reader.account.confirmed_after
    if grace is None or not this.sure:
        return
    async with statement(this.pool) as db:
        await verdicts.hear(db, walk.lease.account, grace, this.clock())
