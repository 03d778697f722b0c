"""Who is signed in. The database knows digests only: what it holds opens no door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from core.store import people

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db
    from core.store.people import Person

Signed = Literal["password", "oidc", "link"]
Ended = Literal[
    "signed_out", "address", "password", "disabled", "ended", "idle", "expired", "means", "groups",
    "bound",
]  # fmt: skip
"""Why a session ended: *address*, it was used from another one; *ended*, its person or who lets
people in said so; *means*, nobody signs in any more as it began; *groups*, the provider is to say
again of which its person is; *bound*, another account at the provider signs them in from then."""

SEEN = timedelta(minutes=1)
"""So exact is when a session was used last."""

BEGIN = """
    insert into session
        (digest, person, means, address, network, browser, login, made_at, seen_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
    returning id
"""
OF = """
    select s.id, s.means, s.address, s.other_address, s.browser, s.login, s.made_at as begun_at,
           s.seen_at, p.name, p.title, p.role, p.accounts, p.language, p.zone, p.subject,
           p.proxied_at, p.made_at, p.disabled_at, p.password is not null as has_password
    from session s join person p on p.name = s.person
    where s.digest = $1 and s.ended_at is null and p.disabled_at is null
"""
TOUCH = "update session set seen_at = $2 where id = $1 and seen_at < $2"
END = """
    update session set ended_at = $2, end_reason = $3, login = null
    where id = $1 and ended_at is null
"""
END_OF = """
    update session set ended_at = $3, end_reason = 'ended', login = null
    where id = $1 and person = $2 and ended_at is null
"""
END_ALL = """
    update session set ended_at = $3, end_reason = $4, login = null
    where person = $1 and ended_at is null and id is distinct from $2
"""
REMEMBER = """
    update session set other_address = $2, other_network = $3
    where id = $1 and other_address is null and ended_at is null
"""
OF_PERSON = """
    select id, means, address, other_address, browser, login, made_at as begun_at, seen_at
    from session
    where person = $1 and ended_at is null and made_at > $2 and seen_at > $3
    order by id desc
"""
OPEN = """
    select s.person, s.id, s.means, s.address, s.other_address, s.browser, s.login,
           s.made_at as begun_at, s.seen_at
    from session s join person p on p.name = s.person
    where s.ended_at is null and p.disabled_at is null and s.made_at > $1 and s.seen_at > $2
      and s.means = any($3)
    order by s.seen_at desc, s.id desc
    limit $4
"""
KNOWS = """
    select exists (
        select from session where person = $1 and $2 in (network, other_network)
    )
"""
USED = "select count(*) from session where ended_at is null and seen_at > $1"
PURGE = """
    with gone as (
        delete from session where greatest(seen_at, ended_at) < $1 returning id
    ) select count(*) from gone
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody is signed in. *address* is from where they signed in.

    *other* is from where they came first by IPv6 if that is of IPv4, or the other way round.
    """

    id: int
    means: Signed
    address: str
    other: str | None
    browser: str
    login: str | None
    made_at: datetime
    seen_at: datetime


def digest(secret: str) -> bytes:
    """By what the database knows a secret of 256 bits: no salt, it cannot be guessed."""
    return sha256(secret.encode("utf-8", "replace")).digest()


async def begin(
    db: Db,
    secret: str,
    person: str,
    means: Signed,
    *,
    address: str,
    network: str,
    browser: str,
    login: str | None = None,
    now: datetime,
) -> int:
    """Sign *person* in; its number."""
    found: int = await db.fetchval(
        BEGIN, digest(secret), person, means, address, network, browser, login, now
    )
    return found


async def of(db: Db, secret: str) -> tuple[Session, Person] | None:
    """The session that was not ended, and its person as they are now; None: there is none.

    Whether it is too old is for the caller to say.
    """
    row = await db.fetchrow(OF, digest(secret))
    return None if row is None else (_session(row), people.person(row))


async def touch(db: Db, session: int, now: datetime) -> None:
    """It was used."""
    await db.execute(TOUCH, session, now)


async def end(db: Db, session: int, why: Ended, now: datetime) -> bool:
    """End it; False where it was ended already."""
    return bool(await db.execute(END, session, now, why) == "UPDATE 1")


async def end_of(db: Db, session: int, person: str, now: datetime) -> bool:
    """End one of *person*'s; False where it is none of theirs, or ended already."""
    return bool(await db.execute(END_OF, session, person, now) == "UPDATE 1")


async def end_all(db: Db, person: str, why: Ended, now: datetime, but: int | None = None) -> int:
    """End all of *person*'s *but* one; how many."""
    return int((await db.execute(END_ALL, person, but, now, why)).split()[-1])


async def remember(db: Db, session: int, address: str, network: str) -> bool:
    """It is used from there too, by the other kind of address; False where one is known already."""
    return bool(await db.execute(REMEMBER, session, address, network) == "UPDATE 1")


async def open_(
    db: Db, made_after: datetime, seen_after: datetime, by: Collection[Signed], limit: int
) -> list[tuple[str, Session]]:
    """Who is signed in, and where: those that began *by* these, used last first."""
    rows = await db.fetch(OPEN, made_after, seen_after, list(by), limit)
    return [(row["person"], _session(row)) for row in rows]


async def of_person(
    db: Db, person: str, made_after: datetime, seen_after: datetime
) -> list[Session]:
    """Those of *person* that still sign them in, the newest first."""
    return [_session(row) for row in await db.fetch(OF_PERSON, person, made_after, seen_after)]


async def knows(db: Db, person: str, network: str) -> bool:
    """Whether *person* has signed in from there of late."""
    found: bool = await db.fetchval(KNOWS, person, network)
    return found


async def used(db: Db, after: datetime) -> int:
    """How many were used *after* then, and did not end."""
    found: int = await db.fetchval(USED, after)
    return found


async def purge(db: Db, before: datetime) -> int:
    """Forget those that were used last, or ended, before then; how many."""
    gone: int = await db.fetchval(PURGE, before)
    return gone


def _session(row: Record) -> Session:
    return Session(
        id=row["id"],
        means=row["means"],
        address=row["address"],
        other=row["other_address"],
        browser=row["browser"],
        login=row["login"],
        made_at=row["begun_at"],
        seen_at=row["seen_at"],
    )
