"""Asks again that members go who were erased, and came back with an older dump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.arrival import erasing, naming
from core.pushes import Member
from core.store import forgotten, recalled

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db
    from core.store.dumpfile import Reader


async def ask_again(db: Db, file: Reader, now: datetime) -> int:
    """Ask that whoever *file* says to be erased is erased, of whom there are threads again.

    They are found by the id that their threads have: what else they are called stands in no digest
    that can be read. The daemon does it, as whatever is asked for.

    Returns:
        How many.

    Raises:
        Mistaken: the file is unfit, or of another installation; the transaction is to be ended.
    """
    await recalled.remember(db, file)
    requests = []
    async for buyers in recalled.buyers(db):
        made = {name: await forgotten.digests(db, name) for name in {one[0] for one in buyers}}
        digests = [made[connector].of(naming.folded(buyer)) for connector, _, buyer in buyers]
        asked = await recalled.named(db, digests)
        requests += [
            erasing.Request(connector, None, [Member(frozenset({buyer}))], account)
            for digest, (connector, account, buyer) in zip(digests, buyers, strict=True)
            if not asked.isdisjoint({(digest, ""), (digest, account)})
        ]
    await erasing.ask_all(db, requests, now)
    return len(requests)
