"""By what programs are known that work for somebody. The database knows digests only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from core.access import Role
from core.store import people
from core.store.sessions import digest

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db
    from core.store.people import Person

USED = timedelta(hours=1)
"""So exact is when a token was used last."""

MAKE = """
    insert into token (digest, person, name, role, accounts, made_at, ends_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    returning id
"""
OF = """
    select t.id, t.name as token_name, t.person, t.role as token_role,
           t.accounts as token_accounts, t.made_at as token_made_at, t.ends_at, t.used_at,
           p.name, p.title, p.role, p.accounts, p.language, p.zone, p.subject,
           p.proxied_at, p.made_at, p.disabled_at, p.password is not null as has_password
    from token t join person p on p.name = t.person
    where t.digest = $1 and t.ended_at is null and (t.ends_at is null or t.ends_at > $2)
      and p.disabled_at is null
"""
USE = "update token set used_at = $2 where id = $1 and (used_at is null or used_at < $2)"
OF_PERSON = """
    select id, name as token_name, person, role as token_role, accounts as token_accounts,
           made_at as token_made_at, ends_at, used_at
    from token
    where person = $1 and ended_at is null
    order by id
"""
ALL = """
    select id, name as token_name, person, role as token_role, accounts as token_accounts,
           made_at as token_made_at, ends_at, used_at
    from token
    where ended_at is null
    order by person, id
"""
OWNER = "select person from token where id = $1 and ended_at is null"
END = """
    update token set ended_at = $3
    where id = $1 and ended_at is null and person = $2
"""
END_ALL = "update token set ended_at = $2 where person = $1 and ended_at is null"
PURGE = """
    with gone as (
        delete from token where least(ended_at, ends_at) < $1 returning id
    ) select count(*) from gone
"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. *accounts* None: those of its person; *ends_at* None: never."""

    id: int
    name: str
    person: str
    role: Role
    accounts: frozenset[str] | None
    made_at: datetime
    ends_at: datetime | None
    used_at: datetime | None


async def make(
    db: Db,
    secret: str,
    person: str,
    name: str,
    role: Role,
    accounts: Collection[str] | None,
    now: datetime,
    ends_at: datetime | None,
) -> int:
    """Keep a new token's digest; its number."""
    seen = None if accounts is None else sorted(accounts)
    found: int = await db.fetchval(
        MAKE, digest(secret), person, name, role.value, seen, now, ends_at
    )
    return found


async def of(db: Db, secret: str, now: datetime) -> tuple[Token, Person] | None:
    """The token and its person as they are now; None: it is none, ended, or theirs who may not."""
    row = await db.fetchrow(OF, digest(secret), now)
    return None if row is None else (_token(row), people.person(row))


async def use(db: Db, token: int, now: datetime) -> None:
    """It was used."""
    await db.execute(USE, token, now)


async def of_person(db: Db, person: str) -> list[Token]:
    """Those of *person* that were not ended, the lapsed ones too, the oldest first."""
    return [_token(row) for row in await db.fetch(OF_PERSON, person)]


async def all_(db: Db) -> list[Token]:
    """Those of everybody that were not ended, by person."""
    return [_token(row) for row in await db.fetch(ALL)]


async def owner(db: Db, token: int) -> str | None:
    """Whose it is; None where there is none, or it has ended."""
    found: str | None = await db.fetchval(OWNER, token)
    return found


async def end(db: Db, token: int, person: str, now: datetime) -> bool:
    """End it, if it is *person*'s; False where it is not, or has ended."""
    return bool(await db.execute(END, token, person, now) == "UPDATE 1")


async def end_all(db: Db, person: str, now: datetime) -> int:
    """End all of *person*'s; how many."""
    return int((await db.execute(END_ALL, person, now)).split()[-1])


async def purge(db: Db, before: datetime) -> int:
    """Forget those that ended before then; how many."""
    gone: int = await db.fetchval(PURGE, before)
    return gone


def _token(row: Record) -> Token:
    accounts = row["token_accounts"]
    return Token(
        id=row["id"],
        name=row["token_name"],
        person=row["person"],
        role=Role(row["token_role"]),
        accounts=None if accounts is None else frozenset(accounts),
        made_at=row["token_made_at"],
        ends_at=row["ends_at"],
        used_at=row["used_at"],
    )
