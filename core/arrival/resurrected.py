"""Asks again that members go who were erased, and came back with an older dump."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from core.arrival import erasing, naming
from core.pushes import Member
from core.store import forgotten, recalled

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db
    from core.store.dumpfile import Reader
    from core.store.forgotten import Digests


async def ask_again(db: Db, file: Reader, now: datetime) -> int:
    """Ask that whoever *file* says to be erased is erased, of whom there are threads again.

    They are found by the id that their threads have: what else they are called stands in no digest
    that can be read. The daemon does it, as whatever is asked for.

    Returns:
        How many.

    Raises:
        Mistaken: the file is unfit, or of another installation; the transaction is to be ended.
    """
    asked = await recalled.remember(db, file)
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    made: dict[str, Digests] = {}
    async for connector, account, buyer in recalled.buyers(db):
        if connector not in made:
            made[connector] = await forgotten.digests(db, connector)
        digest = made[connector].of(naming.folded(buyer))
        if not asked.isdisjoint({(digest, ""), (digest, account)}):
            found[connector, account].add(buyer)
    requests = [
        erasing.Request(connector, None, [Member(frozenset({buyer}))], account)
        for (connector, account), buyers in sorted(found.items())
        for buyer in sorted(buyers)
    ]
    await erasing.ask_all(db, requests, now)
    return len(requests)
