"""What waits where a look is answered with 429: the shared key, or the looks of one account alone.

A marketplace that counts each of its APIs by itself says so by its streams (`limited_alone`): a
look that asked for too much of one of them holds up no walk, and nobody else's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.store import budget

if TYPE_CHECKING:
    from core.errors import RateLimited
    from core.reading.walk import Reader
    from core.store import Db

DEFAULT_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
"""After so long it is tried again, however late the marketplace wants to be asked."""


def key(reader: Reader) -> str:
    """What waits after a look of this account that was too much."""
    counting = [stream for stream in reader.streams.values() if stream.carries_clocks]
    if counting and all(stream.limited_alone for stream in counting):
        return f"looks {reader.account.name}"
    return reader.budget


async def is_asked_for(db: Db, reader: Reader) -> bool:
    """Whether the looks of this account have to wait."""
    return not {key(reader), reader.budget}.isdisjoint(await budget.waiting(db))


async def after(db: Db, reader: Reader, limit: RateLimited) -> None:
    """Put off what *limit* concerns: as long as the marketplace asks for, an hour at most."""
    wait = DEFAULT_WAIT
    if limit.retry_after is not None:
        wait = timedelta(seconds=limit.retry_after)
    await budget.defer(db, key(reader), min(wait, LONGEST_WAIT))
