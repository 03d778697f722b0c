"""What was looked at, done and refused: by whom, when, from where. Lines are added, never changed.

A line holds no word of a buyer or of an agent: names, closed words, counts and instants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.store import legible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from asyncpg import Record

    from core.access import Who
    from core.store import Db

MOST_DETAIL = 100
"""Characters of a value of a detail: enough for a filter, an instant or a name."""
LONGEST_ACT, LONGEST_NAME, LONGEST_ID, LONGEST_ADDRESS = 40, 128, 300, 64

WRITE = """
    insert into audit (at, who, means, act, account, thread, detail, address)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
LINES = """
    select id, at, who, means, act, account, thread, detail, address from audit
    where ($1::text is null or who = $1) and ($2::text is null or act = $2)
      and ($3::text is null or account = $3) and ($4::text is null or thread = $4)
      and ($5::text[] is null or account = any($5) or who = $6)
      and ($7::bigint is null or id < $7)
      and ($8::timestamptz is null or at >= $8) and ($9::timestamptz is null or at < $9)
    order by id desc
    limit $10
"""
DID = """
    select exists (
        select from audit
        where account = $1 and thread = $2 and who = $3 and act = $4 and at >= $5 and detail ? $6
    )
"""
LOOKED = """
    select exists (
        select from audit where at >= $3 and who = $1 and act = $2 and detail = $4
    )
"""
PURGE = """
    with gone as (delete from audit where at < $1 returning id) select count(*) from gone
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. *who* None: nobody who was known."""

    id: int
    at: datetime
    who: str | None
    means: str | None
    act: str
    account: str | None
    thread: str | None
    detail: Mapping[str, str | int]
    address: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines; None: any. *before*: older than the line of this number.

    *since* and *until* are aware instants: from that one on, and before that one.
    """

    who: str | None = None
    act: str | None = None
    account: str | None = None
    thread: str | None = None
    before: int | None = None
    since: datetime | None = None
    until: datetime | None = None


async def write(
    db: Db,
    who: Who | None,
    act: str,
    *,
    account: str | None = None,
    thread: str | None = None,
    detail: Mapping[str, str | int] | None = None,
    address: str | None = None,
    now: datetime,
) -> None:
    """Add a line, in the caller's transaction. *who* None: somebody who is not known.

    *act* is an `access.Act` or a closed word; *address* left out: that of *who*.
    """
    await db.execute(
        WRITE,
        now,
        legible(who.name, LONGEST_NAME) if who else None,
        who.means if who else None,
        legible(act, LONGEST_ACT),
        None if account is None else legible(account, LONGEST_ID),
        None if thread is None else legible(thread, LONGEST_ID),
        {key: _short(value) for key, value in (detail or {}).items()},
        _address(address or (who.address if who else None)),
    )


async def lines(
    db: Db, asked: Asked, visible: Collection[str] | None, reader: str, limit: int
) -> list[Line]:
    """The newest lines first; of accounts that are *visible* only (None: all), and *reader*'s own.

    The next page begins before the last line's id.
    """
    seen = None if visible is None else list(visible)
    thread = None if asked.thread is None else legible(asked.thread, LONGEST_ID)
    rows = await db.fetch(
        LINES, asked.who, asked.act, asked.account, thread, seen, reader, asked.before,
        asked.since, asked.until, limit,
    )  # fmt: skip
    return [_line(row) for row in rows]


async def did(
    db: Db, who: Who, act: str, account: str, thread: str, since: datetime, told: str
) -> bool:
    """Whether *who* did *act* there *since* then, by a line whose detail has *told*."""
    where = (
        legible(account, LONGEST_ID),
        legible(thread, LONGEST_ID),
        legible(who.name, LONGEST_NAME),
    )
    return bool(await db.fetchval(DID, *where, act, since, told))


async def looked(
    db: Db, who: Who, act: str, detail: Mapping[str, str | int], since: datetime
) -> bool:
    """Whether *who* did just that, to no thread alone, *since* then."""
    told = {key: _short(value) for key, value in detail.items()}
    name = legible(who.name, LONGEST_NAME)
    return bool(await db.fetchval(LOOKED, name, act, since, told))


async def purge(db: Db, before: datetime) -> int:
    """Remove lines of before then; how many there were."""
    gone: int = await db.fetchval(PURGE, before)
    return gone


def _address(address: str | None) -> str | None:
    return None if address is None else legible(address, LONGEST_ADDRESS)


def _short(value: str | int) -> str | int:
    return legible(value, MOST_DETAIL) if isinstance(value, str) else value


def _line(row: Record) -> Line:
    return Line(
        id=row["id"],
        at=row["at"],
        who=row["who"],
        means=row["means"],
        act=row["act"],
        account=row["account"],
        thread=row["thread"],
        detail=row["detail"],
        address=row["address"],
    )
