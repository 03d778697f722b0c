"""The words of verdicts go when their time is over; what they meant stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.store import transaction, verdicts

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Pool


async def once(pool: Pool, before: datetime) -> int:
    """Erase the words of what was read before then, and is judged with nothing younger.

    Each in a transaction of its own: nobody else who judges waits long.

    Returns:
        How many verdicts.

    Raises:
        StoreUnavailable: the database went away; some are erased, the others the next time.
    """
    async with transaction(pool) as db:
        old = await verdicts.old(db, before)
    erased = 0
    for account, id_ in old:
        async with transaction(pool) as db:
            erased += await verdicts.fade(db, account, id_, before)
    return erased
