"""Whom we have forgotten: keyed digests of their ids, by which what comes late is known.

A digest says nothing without the key, and with it only whether an id that somebody brings is one
of them.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from core.store import Db

SIZE = 16
"""Bytes of a digest; of the one by which texts are looked through, half."""

MAKE_KEY = "insert into erasure_key (key) values ($1) on conflict do nothing"
KEY = "select key from erasure_key"
# Where nobody was erased lately, nothing is looked through.
NEWEST = """
    select key, newest from erasure_key, (select max(at) as newest from forgotten) f
    where newest is not null
"""
# In one order always: two transactions that are told of the same members wait, one for the other.
ADD = """
    insert into forgotten (digest, account, head, pieces, lead, tail, at)
    select w.digest, $1, w.head, w.pieces, w.lead, w.tail, $7
    from unnest($2::bytea[], $3::bytea[], $4::integer[], $5::integer[], $6::integer[])
        as w (digest, head, pieces, lead, tail)
    order by w.digest
    on conflict (digest, account) do update set at = excluded.at
"""
KNOWN = """
    select digest, head, pieces, lead, tail, at from forgotten
    where digest = any($2::bytea[]) and account in ('', $1)
    union all
    select digest, head, pieces, lead, tail, at from forgotten
    where head = any($3::bytea[]) and account in ('', $1)
"""
PURGE = """
    with gone as (delete from forgotten where at < $1 returning true) select count(*) from gone
"""


class Id(NamedTuple):
    """What is remembered of an id that was asked to be erased *at* an instant."""

    digest: bytes
    head: bytes
    pieces: int
    lead: int
    tail: int
    at: datetime


class Digests:
    """Makes digests of the ids of one connector's members; *newest* is when one was asked last."""

    def __init__(self, key: bytes, connector: str, newest: datetime | None = None) -> None:
        self._key = key
        self._connector = connector.encode()
        self.newest = newest

    def of(self, id_: str) -> bytes:
        """The digest of a folded id."""
        return self._made(b"id", id_, SIZE)

    def of_head(self, word: str) -> bytes:
        """The digest of the word with which an id begins."""
        return self._made(b"head", word, SIZE // 2)

    def _made(self, what: bytes, text: str, size: int) -> bytes:
        told = b"\0".join((self._connector, what, text.encode("utf-8", "replace")))
        return blake2b(told, digest_size=size, key=self._key).digest()


async def digests(db: Db, connector: str) -> Digests:
    """How ids of this connector's members are made digests, from now on the same for all."""
    key: bytes | None = await db.fetchval(KEY)
    if key is None:
        await db.execute(MAKE_KEY, secrets.token_bytes(32))
        key = await db.fetchval(KEY)
    return Digests(key or b"", connector)


async def digests_if_any(db: Db, connector: str) -> Digests | None:
    """As `digests`; None where nobody was erased lately."""
    row = await db.fetchrow(NEWEST)
    return None if row is None else Digests(row["key"], connector, row["newest"])


async def add(db: Db, account: str | None, ids: Iterable[Id], now: datetime) -> None:
    """Remember these ids, in one account or (None) in all."""
    columns = list(zip(*{(i.digest, i.head, i.pieces, i.lead, i.tail) for i in ids}, strict=True))
    if columns:
        await db.execute(ADD, account or "", *map(list, columns), now)


async def known(
    db: Db, account: str, whole: Collection[bytes], heads: Collection[bytes]
) -> list[Id]:
    """Those remembered of which a digest is among *whole*, or that begin as one of *heads*."""
    return [Id(*row) for row in await db.fetch(KNOWN, account, list(whole), list(heads))]


async def purge(db: Db, before: datetime) -> int:
    """Forget that ids asked for before then were forgotten; how many."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
