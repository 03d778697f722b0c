"""Signing in by name and password: counted before it is tried, in the same time for everybody."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.desk import passwords, patience
from core.desk.passwords import Busy
from core.store import audit, people, transaction
from core.web.signing import arriving, networks, service
from core.web.ways import parts

if TYPE_CHECKING:
    from datetime import timedelta

    from aiohttp import web

    from core.desk.patience import Try
    from core.store import Db

MOST_NAME = 128


class NotSignedIn(Exception):  # not an error of ours: who asks is told so
    """Nobody was signed in: ``wrong`` name or password, or ``wait`` for so long first."""

    def __init__(self, why: str, wait: timedelta | None = None) -> None:
        super().__init__(why)
        self.why, self.wait = why, wait


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody typed."""

    name: str
    password: str


async def by_password(request: web.Request, given: Given) -> str:
    """What the cookie of a new session holds.

    Raises:
        NotSignedIn: the name or the password is wrong, or it is not time to try.
        Busy: too many want to sign in at once.
    """
    made, hashed = await checked(request, given)
    async with transaction(parts(request).pool()) as db:
        if hashed is not None:
            return await _accepted(db, request, given, made, hashed)
        await _refused(db, request, given.name)
    raise NotSignedIn("wrong")


async def checked(request: web.Request, given: Given) -> tuple[Try, str | None]:
    """The try, counted as failed, and the hash that the password has; None: it is wrong.

    Raises:
        NotSignedIn: it is not time to try.
        Busy: too many want to sign in at once; it is not counted.
    """
    of, pool = service.of(request), parts(request).pool()
    network = networks.near(arriving.address(request))
    async with transaction(pool) as db:
        made = await patience.begin(db, given.name, network, parts(request).now())
        hashed = None if made.wait else await people.password_of(db, given.name)
    if made.wait:
        of.count("password", "wait")
        raise NotSignedIn("wait", made.wait)
    try:
        is_right = await of.passwords.matches(hashed, given.password)
    except Busy:
        of.count("password", "busy")
        async with transaction(pool) as db:
            await patience.forgiven(db, made)
        raise
    return made, hashed if is_right else None


async def _accepted(db: Db, request: web.Request, given: Given, made: Try, hashed: str) -> str:
    of, now = service.of(request), parts(request).now()
    person = await people.locked(db, given.name)
    still = await people.password_of(db, given.name)
    if person is None or still != hashed:
        raise NotSignedIn("wrong")
    await patience.succeeded(db, made)
    if passwords.outdated(hashed):
        with suppress(Busy):  # it is done another time
            again = await of.passwords.hashed(given.password)
            await people.rehash(db, given.name, hashed, again)
    secret = await service.begin(db, request, person, "password", now)
    of.count("password", "success")
    return secret


async def _refused(db: Db, request: web.Request, name: str) -> None:
    """Write it down; a name that nobody has may be a password, and is not kept."""
    known = await people.of(db, name)
    detail = {"outcome": "wrong", "name": name if known else "unknown"}
    address = arriving.address(request)
    await audit.write(db, None, "sign-in", detail=detail, address=address, now=parts(request).now())
    service.of(request).count("password", "wrong")
    service.of(request).warn("password")
