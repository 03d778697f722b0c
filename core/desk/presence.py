"""Who else is answering a thread: told so that two do not write the same; it keeps nobody out.

Only that somebody has the box open is known, and until when that was so; nothing of what they
write. What really keeps two answers apart is `answering.answer`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.access import Act
from core.errors import NotAllowed
from core.store import presence as stored
from core.store import wake

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.access import Who
    from core.store import Db
    from core.store.presence import Present

EVERY = timedelta(seconds=10)
"""How often a page that is open says so."""
GONE_AFTER = timedelta(seconds=30)
"""Who was not heard of for so long is gone: one word may be lost, and a second."""


async def here(db: Db, who: Who, account: str, thread: str, now: datetime) -> bool:
    """Say that *who* has the box for an answer open, and let boards know of somebody new.

    Returns:
        Whether others did not know it.

    Raises:
        NotAllowed: they may not answer there.
    """
    if not who.may(Act.ANSWER, account):
        raise NotAllowed("you may not answer for %(account)s; ask a lead", account=account)
    since = now - GONE_AFTER
    new = await stored.here(db, account, thread, who.name, who.shown, now, since)
    if new:
        await wake.changed(db, {account: [thread]})
    return new


async def left(db: Db, who: Who, account: str, thread: str) -> None:
    """Say that *who* has closed the box."""
    if await stored.left(db, account, thread, who.name):
        await wake.changed(db, {account: [thread]})


async def others(
    db: Db, name: str, threads: Collection[tuple[str, str]], now: datetime
) -> dict[tuple[str, str], list[Present]]:
    """Who but *name* has the box open, by thread; a thread without anybody is left out."""
    found = await stored.of(db, threads, now - GONE_AFTER)
    beside = {key: [one for one in each if one.name != name] for key, each in found.items()}
    return {key: each for key, each in beside.items() if each}
