"""What a walk finds and no push had brought: again and again, it says that none arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.arrival import hearing
from core.store import transaction

if TYPE_CHECKING:
    from core.reading.walk import Round, Walk


async def after(this: Round, walk: Walk) -> None:
    """After a complete walk: count it where it found what a push should have brought."""
    if not (walk.stream.pushed and walk.stored.overdue and this.sure):
        return
    async with transaction(this.pool) as db:
        await hearing.missed(db, this.rules, walk.lease.account, this.clock())
