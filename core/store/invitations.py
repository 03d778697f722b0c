"""Links that let somebody in once. The database knows digests only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.store.sessions import digest

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db

MAKE = """
    insert into invitation (digest, person, made_by, made_at, until) values ($1, $2, $3, $4, $5)
"""
OF = """
    select person, made_by, until from invitation
    where digest = $1 and used_at is null and until > $2
"""
USE = """
    update invitation set used_at = $2 where digest = $1 and used_at is null and until > $2
    returning person, made_by, until
"""
END_ALL = "update invitation set until = $2 where person = $1 and used_at is null and until > $2"
END_FIRST = """
    update invitation set until = $1 where person is null and used_at is null and until > $1
"""
PURGE = """
    with gone as (delete from invitation where until < $1 returning until) select count(*) from gone
"""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom a link lets in; *person* None: whoever comes first, as admin."""

    person: str | None
    made_by: str
    until: datetime


async def make(
    db: Db, secret: str, person: str | None, by: str, now: datetime, until: datetime
) -> None:
    """Keep a new link's digest; those that were made for the same before are void."""
    await (db.execute(END_FIRST, now) if person is None else db.execute(END_ALL, person, now))
    await db.execute(MAKE, digest(secret), person, by, now, until)


async def of(db: Db, secret: str, now: datetime) -> Invitation | None:
    """Whom it would let in; None: nobody any more."""
    row = await db.fetchrow(OF, digest(secret), now)
    return None if row is None else Invitation(row["person"], row["made_by"], row["until"])


async def use(db: Db, secret: str, now: datetime) -> Invitation | None:
    """Use it up; None: somebody did, or it has lapsed."""
    row = await db.fetchrow(USE, digest(secret), now)
    return None if row is None else Invitation(row["person"], row["made_by"], row["until"])


async def end_all(db: Db, person: str, now: datetime) -> None:
    """Make those of *person* void."""
    await db.execute(END_ALL, person, now)


async def purge(db: Db, before: datetime) -> int:
    """Forget those that were good until then at most; how many."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
