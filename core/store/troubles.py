"""Troubles of the service as a whole that were told and are not over: each is told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from core.model import NoticeKind
    from core.store import Db

BEGIN = """
    insert into trouble (kind, since) values ($1, $2)
    on conflict (kind) do nothing
    returning since
"""
END = "delete from trouble where kind = $1 returning since"


async def begin(db: Db, kind: NoticeKind, now: datetime) -> bool:
    """Write down that it is told *now*; False where it is told already."""
    return await db.fetchval(BEGIN, kind.value, now) is not None


async def end(db: Db, kind: NoticeKind) -> datetime | None:
    """Write down that it is over: since when it was told; None where it was not."""
    since: datetime | None = await db.fetchval(END, kind.value)
    return since
