"""Who was erased since a dump that was brought back: known by digests that were kept elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Mistaken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.store import Db
    from core.store.dumpfile import Reader

TABLES = frozenset({"erasure_key", "forgotten"})
"""What a file of erasures holds: the key, and the digests that were made with it."""

MAKE_KEYS = "create temporary table kept_erasure_key (like erasure_key) on commit drop"
MAKE = "create temporary table kept_forgotten (like forgotten) on commit drop"
IS_OURS = "select exists (select from kept_erasure_key k join erasure_key o on o.key = k.key)"
IS_EMPTY = "select not exists (select from kept_forgotten)"
REMEMBER = """
    insert into forgotten as f select * from kept_forgotten
    on conflict (digest, account) do update set at = greatest(f.at, excluded.at)
"""
ASKED = "select digest, account from kept_forgotten"
BUYERS = """
    select distinct a.connector, t.account, t.buyer
    from thread t join account a on a.name = t.account
    where t.buyer <> '' and t.erased_at is null
    order by a.connector, t.account, t.buyer
"""


async def remember(db: Db, file: Reader) -> frozenset[tuple[bytes, str]]:
    """Remember whom *file* says to be erased: what comes of them is known again.

    Returns:
        Their digests, each with the account that it is for; "" is every one.

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
    await db.execute(REMEMBER)
    return frozenset((row["digest"], row["account"]) for row in await db.fetch(ASKED))


async def buyers(db: Db) -> AsyncIterator[tuple[str, str, str]]:
    """Whose threads are stored: connector, account, buyer; the caller is in a transaction."""
    async for row in db.cursor(BUYERS, prefetch=1000):
        yield row["connector"], row["account"], row["buyer"]


async def _blocks(file: Reader) -> AsyncIterator[bytes]:
    for block in file.blocks():
        yield block
