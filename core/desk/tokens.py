"""Tokens for programs that work for somebody: shown once, never more than their person may."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from core.access import MAY, Act, Role
from core.desk.admitting import is_within
from core.errors import Mistaken
from core.model import UNSEEN
from core.store import audit, people, tokens

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.access import Who
    from core.store import Db

PREFIX = "rb_"
"""So that who scans repositories for leaks finds ours."""
BYTES = 32
MOST_NAME = 100
MOST = 50
"""Tokens of one person."""
LONGEST = timedelta(days=3660)


async def make(
    db: Db,
    who: Who,
    name: str,
    role: Role,
    accounts: Collection[str] | None,
    lasts: timedelta | None,
    now: datetime,
) -> str:
    """A new token of *who*, shown this once; *lasts* None: until it is ended.

    Raises:
        Mistaken: it would be more than they may, or has no name.
    """
    line = " ".join(name.split())
    if not line or len(line) > MOST_NAME or UNSEEN.search(line) is not None:
        raise Mistaken(
            "name the token by what it is for, in %(most)s characters at most", most=MOST_NAME
        )
    if not MAY[role] <= MAY[who.role]:
        raise Mistaken("a token may be %(role)s at most, as you are", role=who.role)
    if not is_within(who, accounts):
        raise Mistaken("a token sees no more accounts than you; name some of yours")
    if lasts is not None and not timedelta(0) < lasts <= LONGEST:
        raise Mistaken(
            "a token lasts %(days)s days at most; or leave its end out", days=LONGEST.days
        )
    if len(await tokens.of_person(db, who.name)) >= MOST:
        raise Mistaken("you have %(most)s tokens; end those that nothing uses", most=MOST)
    secret = PREFIX + secrets.token_urlsafe(BYTES)
    ends = None if lasts is None else now + lasts
    number = await tokens.make(db, secret, who.name, line, role, accounts, now, ends)
    await _told(db, who, "made", number, now, role=role.value)
    return secret


async def end(db: Db, who: Who, number: int, now: datetime) -> None:
    """End a token of *who*, or, for who may let people in, of whoever sees no more than they.

    Raises:
        Mistaken: there is none of that number.
    """
    of = await tokens.owner(db, number)
    may = of is not None and (of == who.name or await _lets_in(db, who, of))
    if of is None or not may or not await tokens.end(db, number, of, now):
        raise Mistaken("there is no token %(number)s, or it has ended", number=number)
    await _told(db, who, "ended", number, now, person=of)


async def _lets_in(db: Db, who: Who, name: str) -> bool:
    found = await people.of(db, name)
    return who.may(Act.PEOPLE) and found is not None and is_within(who, found.accounts)


async def _told(
    db: Db, who: Who, did: str, number: int, now: datetime, **detail: str | int
) -> None:
    said = {"did": did, "number": number, **detail}
    await audit.write(db, who, "token", detail=said, now=now)
