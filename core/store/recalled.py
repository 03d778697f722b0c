"""Who was erased since a dump that was brought back: known by digests that were kept elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Mistaken
from core.store.dumping import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from core.store import Db
    from core.store.dumpfile import Reader

BATCH = 1000
TABLES = frozenset({"erasure_key", "forgotten"})
"""What a file of erasures holds: the key, and the digests that were made with it."""

MAKE_KEYS = "create temporary table if not exists kept_erasure_key (like erasure_key)"
MAKE = "create temporary table if not exists kept_forgotten (like forgotten including indexes)"
IS_OURS = "select exists (select from kept_erasure_key k join erasure_key o on o.key = k.key)"
IS_EMPTY = "select not exists (select from kept_forgotten)"
REMEMBER = """
    insert into forgotten as f select * from kept_forgotten
    on conflict (digest, account) do update set at = greatest(f.at, excluded.at)
"""
NAMED = "select digest, account from kept_forgotten where digest = any($1::bytea[])"
BUYERS = """
    select distinct a.connector, t.account, t.buyer
    from thread t join account a on a.name = t.account
    where t.buyer <> '' and t.erased_at is null
    order by a.connector, t.account, t.buyer
"""


async def remember(db: Db, file: Reader) -> None:
    """Remember whom *file* says to be erased: what comes of them is known again.

    Raises:
        Mistaken: the file is unfit, or of another installation; the transaction is to be ended.
    """
    await db.execute(MAKE_KEYS)
    await db.execute(MAKE)
    for table in file.tables():
        blocks = _blocks(file)
        if table.name in TABLES:
            await db.copy_to_table(f"kept_{table.name}", columns=table.columns, source=blocks)
        else:
            async for _ in blocks:
                pass
    for _ in file.counters():
        pass
    if not await db.fetchval(IS_EMPTY) and not await db.fetchval(IS_OURS):
        raise Mistaken("the erasures are those of another database; nothing was changed")
    await db.execute(REMEMBER, timeout=PATIENCE)


async def named(db: Db, digests: Collection[bytes]) -> frozenset[tuple[bytes, str]]:
    """Those of *digests* that were remembered, with the account that each is for; "": every one."""
    return frozenset(tuple(row) for row in await db.fetch(NAMED, list(digests)))


async def buyers(db: Db) -> AsyncIterator[list[tuple[str, str, str]]]:
    """Whose threads are stored, many at once: connector, account, buyer; in a transaction."""
    found = await db.cursor(BUYERS, timeout=PATIENCE)
    while rows := await found.fetch(BATCH):
        yield [tuple(row) for row in rows]


async def _blocks(file: Reader) -> AsyncIterator[bytes]:
    for block in file.blocks():
        yield block
