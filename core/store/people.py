"""Who may sign in, and what they may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from core.access import Role, Who

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from asyncpg import Record

    from core.access import Means, SignIn
    from core.store import Db

PROXIED_EACH = timedelta(days=1)
"""So exact is when a proxy named somebody last."""

ALL = """
    select name, title, role, accounts, language, zone, subject, proxied_at, made_at, disabled_at,
           password is not null as has_password
    from person order by name
"""
OF = """
    select name, title, role, accounts, language, zone, subject, proxied_at, made_at, disabled_at,
           password is not null as has_password
    from person where name = $1
"""
LOCKED = """
    select name, title, role, accounts, language, zone, subject, proxied_at, made_at, disabled_at,
           password is not null as has_password
    from person where name = $1
    for update
"""
BY_SUBJECT = """
    select name, title, role, accounts, language, zone, subject, proxied_at, made_at, disabled_at,
           password is not null as has_password
    from person where subject = $1
"""
HASH_OF = "select password from person where name = $1 and disabled_at is null"
ANYBODY = """
    select exists (
        select from person
        where disabled_at is null and (password is not null or subject is not null)
    )
"""
ADD = """
    insert into person (name, title, role, accounts, made_at) values ($1, $2, $3, $4, $5)
    on conflict (name) do nothing
    returning name
"""
GRANT = "update person set title = $2, role = $3, accounts = $4 where name = $1"
REGROUP = """
    update person set role = $2, accounts = $3
    where name = $1 and (role, accounts) is distinct from ($2::text, $3::text[])
"""
DISABLE = """
    update person set disabled_at = $2, password = null where name = $1 and disabled_at is null
"""
ENABLE = "update person set disabled_at = null where name = $1 and disabled_at is not null"
SET_HASH = "update person set password = $2 where name = $1"
REHASH = "update person set password = $3 where name = $1 and password = $2"
BIND = "update person set subject = $2 where name = $1 and (subject is null or subject = $2)"
REBIND = "update person set subject = $2 where name = $1"
PROXIED = """
    update person set proxied_at = $2
    where name = $1 and (proxied_at is null or proxied_at < $3)
"""
PREFER = "update person set language = $2, zone = $3 where name = $1"
OTHER_ADMINS = """
    select count(*) from (
        select from person
        where role = 'admin' and accounts is null and disabled_at is null and name <> $1
          and case $2::text
              when 'password' then password is not null
              when 'oidc' then subject is not null
              when 'proxy' then proxied_at is not null
              else true
              end
        for share
    ) others
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in, unless they are disabled. *accounts* None: they see all.

    *subject* is by what an OpenID provider knows them: issuer and subject; *proxied_at* is when a
    proxy named them last, to the day.
    """

    name: str
    title: str
    role: Role
    accounts: frozenset[str] | None
    language: str | None
    zone: str | None
    subject: str | None
    proxied_at: datetime | None
    made_at: datetime
    disabled_at: datetime | None
    has_password: bool

    def who(self, means: Means, address: str | None) -> Who:
        """This person as somebody who asks now."""
        return Who(
            name=self.name,
            role=self.role,
            accounts=self.accounts,
            title=self.title,
            language=self.language,
            zone=self.zone,
            means=means,
            address=address,
        )


async def all_(db: Db) -> list[Person]:
    """Everybody, the disabled too, by name."""
    return [person(row) for row in await db.fetch(ALL)]


async def of(db: Db, name: str) -> Person | None:
    """The person of that name; None where there is none."""
    row = await db.fetchrow(OF, name)
    return None if row is None else person(row)


async def locked(db: Db, name: str) -> Person | None:
    """As `of`; nobody else changes them before the transaction ends."""
    row = await db.fetchrow(LOCKED, name)
    return None if row is None else person(row)


async def by_subject(db: Db, subject: str) -> Person | None:
    """Whom an OpenID provider knows so; None where nobody was yet."""
    row = await db.fetchrow(BY_SUBJECT, subject)
    return None if row is None else person(row)


async def password_of(db: Db, name: str) -> str | None:
    """The hash of their password; None where no password signs them in."""
    found: str | None = await db.fetchval(HASH_OF, name)
    return found


async def anybody(db: Db) -> bool:
    """Whether anybody can sign in."""
    found: bool = await db.fetchval(ANYBODY)
    return found


async def add(
    db: Db, name: str, title: str, role: Role, accounts: Collection[str] | None, now: datetime
) -> bool:
    """Add somebody who cannot sign in yet; False where the name is taken."""
    seen = None if accounts is None else sorted(accounts)
    return await db.fetchval(ADD, name, title, role.value, seen, now) is not None


async def grant(
    db: Db, name: str, title: str, role: Role, accounts: Collection[str] | None
) -> None:
    """Change how they are called and what they may: true at their next request."""
    seen = None if accounts is None else sorted(accounts)
    await db.execute(GRANT, name, title, role.value, seen)


async def regroup(db: Db, name: str, role: Role, accounts: Collection[str] | None) -> bool:
    """Change what they may to what their groups say; False where it is so already."""
    seen = None if accounts is None else sorted(accounts)
    return bool(await db.execute(REGROUP, name, role.value, seen) == "UPDATE 1")


async def disable(db: Db, name: str, now: datetime) -> bool:
    """Let them sign in no more, with their password gone; False where it was so already."""
    return bool(await db.execute(DISABLE, name, now) == "UPDATE 1")


async def enable(db: Db, name: str) -> bool:
    """Let them sign in again, by an invitation or an OpenID provider; False where they may."""
    return bool(await db.execute(ENABLE, name) == "UPDATE 1")


async def set_password(db: Db, name: str, hashed: str) -> None:
    """Give them another password."""
    await db.execute(SET_HASH, name, hashed)


async def rehash(db: Db, name: str, before: str, hashed: str) -> None:
    """Store the same password under today's costs, unless it was changed meanwhile."""
    await db.execute(REHASH, name, before, hashed)


async def bind(db: Db, name: str, subject: str) -> bool:
    """Remember by what an OpenID provider knows them; False where it is something else already."""
    return bool(await db.execute(BIND, name, subject) == "UPDATE 1")


async def rebind(db: Db, name: str, subject: str) -> bool:
    """Remember by what an OpenID provider knows them from now on.

    False: somebody else was bound to it in the same instant, and the transaction is at its end.
    """
    try:
        await db.execute(REBIND, name, subject)
    except asyncpg.UniqueViolationError:
        return False
    return True


async def proxied(db: Db, name: str, now: datetime) -> bool:
    """A proxy has named them; False where that is known of the last `PROXIED_EACH`."""
    return bool(await db.execute(PROXIED, name, now, now - PROXIED_EACH) == "UPDATE 1")


async def prefer(db: Db, name: str, language: str | None, zone: str | None) -> None:
    """What their pages are written in; None: as the browser asks, and the settings say."""
    await db.execute(PREFER, name, language, zone)


async def other_admins(db: Db, name: str, by: SignIn | None) -> int:
    """How many admins of all accounts there are beside *name* who can sign in *by* that.

    That is with a password; bound to the provider; named by the proxy before. None: however it is.
    """
    found: int = await db.fetchval(OTHER_ADMINS, name, by)
    return found


def person(row: Record) -> Person:
    """A row of `person` as whoever it is."""
    accounts = row["accounts"]
    return Person(
        name=row["name"],
        title=row["title"],
        role=Role(row["role"]),
        accounts=None if accounts is None else frozenset(accounts),
        language=row["language"],
        zone=row["zone"],
        subject=row["subject"],
        proxied_at=row["proxied_at"],
        made_at=row["made_at"],
        disabled_at=row["disabled_at"],
        has_password=row["has_password"],
    )
