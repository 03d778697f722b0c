"""Wakes the loops of all processes: one notification channel, the payload names a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from asyncpg import Connection, Record

    from core.store import Db

CHANNEL = "replyby"
LOOPS = ("poll", "watch", "deliver", "reply", "erase", "worker", "redate", "escalate")

SEND = "select pg_notify('replyby', loop) from unnest($1::text[]) as loop"


async def send(db: Db, *loops: str) -> None:
    """Wake *loops* when the transaction commits; a loop named twice is woken once."""
    await db.execute(SEND, loops)


async def listen(connection: Connection[Record], events: Mapping[str, asyncio.Event]) -> None:
    """Set the event of each loop that is woken, for as long as *connection* lives.

    The connection is the listener's own, and not behind a pooler of transactions.
    """

    def heard(_connection: object, _pid: int, _channel: str, loop: object) -> None:
        if event := events.get(str(loop)):
            event.set()

    await connection.add_listener(CHANNEL, heard)
