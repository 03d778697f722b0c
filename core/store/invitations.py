"""Links that let somebody in once. The database knows digests only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.store.sessions import digest

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db

MAKE = """
    insert into invitation (digest, person, made_by, made_at, until, binds)
    values ($1, $2, $3, $4, $5, $6)
"""
OF = """
    select person, made_by, until, binds from invitation
    where digest = any($1) and used_at is null and until > $2
"""
USE = """
    update invitation set used_at = $2 where digest = any($1) and used_at is null and until > $2
    returning person, made_by, until, binds
"""
END_ALL = "update invitation set until = $2 where person = $1 and used_at is null and until > $2"
END_FIRST = """
    update invitation set until = $1 where person is null and used_at is null and until > $1
"""
FOR = """
    select made_by, made_at, until, used_at, binds from invitation
    where person = $1
    order by made_at desc
    limit $2
"""
PURGE = """
    with gone as (delete from invitation where until < $1 returning until) select count(*) from gone
"""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom a link lets in; *person* None: whoever comes first, as admin.

    *binds*: it signs nobody in, but binds its person to whom the OpenID provider says it is.
    """

    person: str | None
    made_by: str
    until: datetime
    binds: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A link as its person reads of it. *until*: when it lapsed or was made void, or will."""

    made_by: str
    made_at: datetime
    until: datetime
    used_at: datetime | None
    binds: bool


async def make(
    db: Db,
    secret: str,
    person: str | None,
    by: str,
    now: datetime,
    until: datetime,
    *,
    binds: bool = False,
) -> None:
    """Keep a new link's digest; those that were made for the same before are void."""
    await (db.execute(END_FIRST, now) if person is None else db.execute(END_ALL, person, now))
    kept = _digests(secret)[binds]
    await db.execute(MAKE, kept, person, by, now, until, binds)


async def of(db: Db, secret: str, now: datetime) -> Invitation | None:
    """Whom it would let in; None: nobody any more."""
    row = await db.fetchrow(OF, _digests(secret), now)
    return None if row is None else _invitation(row)


async def use(db: Db, secret: str, now: datetime) -> Invitation | None:
    """Use it up; None: somebody did, or it has lapsed."""
    row = await db.fetchrow(USE, _digests(secret), now)
    return None if row is None else _invitation(row)


async def made_for(db: Db, person: str, limit: int) -> list[Made]:
    """Links that were made of late by which *person* could be entered as, the newest first."""
    return [
        Made(row["made_by"], row["made_at"], row["until"], row["used_at"], row["binds"])
        for row in await db.fetch(FOR, person, limit)
    ]


async def end_all(db: Db, person: str, now: datetime) -> None:
    """Make those of *person* void."""
    await db.execute(END_ALL, person, now)


async def purge(db: Db, before: datetime) -> int:
    """Forget those that were good until then at most; how many."""
    gone: int = await db.fetchval(PURGE, before)
    return gone


def _digests(secret: str) -> tuple[bytes, bytes]:
    """By what a link that signs in is known, and one that binds.

    A program of the version before, which would sign in by either, does not find the second.
    """
    return digest(secret), digest(f"binds {secret}")


def _invitation(row: Record) -> Invitation:
    return Invitation(row["person"], row["made_by"], row["until"], row["binds"])
