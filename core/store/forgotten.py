"""Whom we have forgotten: keyed digests of their ids, by which what comes late is known.

A digest says nothing without the key, and with it only whether an id that somebody brings is one
of them. Rows are of an id; of a shape, with the word with which ids of that shape begin: one row,
however many ids these are; and of the ids together of a member of whom there was a thread.
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
# Before they change, in one order always: two transactions that are told of the same members wait,
# one for the other; and whoever just learns that there was a thread (`KNOW`) is waited for.
LOCK = """
    select from forgotten where digest = any($1::bytea[]) and account = $2
    order by digest for no key update
"""
# Of whom there was a thread stays known, with whatever ids they are asked for again.
ADD = """
    insert into forgotten as f (digest, account, at, head, pieces, lead, tail, member)
    select w.digest, $1, w.at, w.head, w.pieces, w.lead, w.tail, w.member
    from unnest($2::bytea[], $3::timestamptz[], $4::bytea[], $5::integer[], $6::integer[],
                $7::integer[], $8::bytea[])
        as w (digest, at, head, pieces, lead, tail, member)
    order by w.digest
    on conflict (digest, account) do update
    set at = greatest(f.at, excluded.at),
        member = case when exists (select from forgotten k where k.digest = f.member)
                      then f.member else excluded.member end
"""
# It is remembered for as long as the ids are.
RAISE = """
    with kept as (
        select k.digest, w.at
        from forgotten k
        join (
            select member, max(at) as at from forgotten
            where digest = any($1::bytea[]) and member is not null
            group by member
        ) w on w.member = k.digest
        where k.at < w.at
        order by k.digest
        for no key update of k
    )
    update forgotten k set at = greatest(k.at, w.at) from kept w where k.digest = w.digest
"""
KNOW = """
    with named as (
        select member, at from forgotten where digest = any($1::bytea[]) and member is not null
        order by digest, account
        for share
    )
    insert into forgotten as f (digest, account, at, head, pieces, lead, tail)
    select member, '', max(at), ''::bytea, 0, 0, 0 from named group by member order by member
    on conflict (digest, account) do update set at = greatest(f.at, excluded.at)
"""
ARE_KNOWN = """
    select digest from forgotten f
    where digest = any($1::bytea[]) and exists (select from forgotten k where k.digest = f.member)
"""
KNOWN = """
    select digest, at, head, pieces, lead, tail, member,
           exists (select from forgotten k where k.digest = f.member) as is_known
    from forgotten f where digest = any($2::bytea[]) and account in ('', $1)
    union all
    select digest, at, head, pieces, lead, tail, member, false from forgotten
    where head = any($3::bytea[]) and account in ('', $1)
"""
# Whoever is called so in whichever account: there are few, and the caller looks more closely.
MET = """
    select digest, account from forgotten where digest = any($1::bytea[])
    union all
    select head, account from forgotten where head = any($2::bytea[])
"""
PURGE = """
    with gone as (delete from forgotten where at < $1 returning true) select count(*) from gone
"""


class Id(NamedTuple):
    """What is remembered of an id that was asked to be erased *at* an instant, or of its shape.

    *member* is the digest of all ids that were asked with it; *is_known*: there was a thread.
    """

    digest: bytes
    at: datetime
    head: bytes = b""
    pieces: int = 0
    lead: int = 0
    tail: int = 0
    member: bytes | None = None
    is_known: bool = False


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

    def of_shape(self, head: str, pieces: int, lead: int, tail: int) -> bytes:
        """The digest of what ids have in common that begin, and are put together, alike."""
        return self._made(b"shape", f"{head} {pieces} {lead} {tail}", SIZE)

    def of_member(self, ids: Iterable[str]) -> bytes:
        """The digest of folded ids together, which are of the same member."""
        return self._made(b"member", "\0".join(sorted(ids)), SIZE)

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


async def add(db: Db, account: str | None, ids: Iterable[Id]) -> None:
    """Remember these ids, in one account or (None) in all; of one told twice, the later instant."""
    each = {one.digest: one[:-1] for one in sorted(ids, key=lambda one: one.at)}.values()
    if each:
        digests = [one[0] for one in each]
        await db.execute(LOCK, digests, account or "")
        await db.execute(ADD, account or "", *map(list, zip(*each, strict=True)))
        await db.execute(RAISE, digests)


async def know(db: Db, ids: Collection[bytes]) -> None:
    """Remember that there was a thread of the members of whom these are *ids*, by their digests.

    By whatever request they were told of last.
    """
    if ids:
        await db.execute(KNOW, list(ids))


async def are_known(db: Db, ids: Collection[bytes]) -> frozenset[bytes]:
    """Those of *ids*, by their digests, that are of members of whom there was a thread."""
    return frozenset(row["digest"] for row in await db.fetch(ARE_KNOWN, list(ids)))


async def known(
    db: Db, account: str, whole: Collection[bytes], heads: Collection[bytes]
) -> list[Id]:
    """Those of which a digest is among *whole*, and what shapes begin as one of *heads*.

    Of a shape there is one row, whoever is of it: what of a text has that shape is asked for then.
    """
    return [Id(*row) for row in await db.fetch(KNOWN, account, list(whole), list(heads))]


async def met(
    db: Db, whole: Collection[bytes], heads: Collection[bytes]
) -> frozenset[tuple[bytes, str]]:
    """Those of *whole* and *heads* that `known` would find in an account; "" is each of them."""
    return frozenset(tuple(row) for row in await db.fetch(MET, list(whole), list(heads)))


async def purge(db: Db, before: datetime) -> int:
    """Forget that ids asked for before then were forgotten; how many."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
