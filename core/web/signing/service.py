"""What signing in needs beside the database, and how a session begins and ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from core.desk.passwords import Passwords
from core.store import audit, sessions, transaction, wake
from core.web.seldom import Seldom
from core.web.signing import arriving, cookies, networks
from core.web.signing.identity import SESSION
from core.web.ways import parts, who

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.settings import Settings
    from core.store import Db
    from core.store.people import Person
    from core.store.sessions import Session, Signed
    from core.transport.http import Http
    from core.web.ways import Parts

MOST_NEXT = 2_000
DOORS = ("/sign-in", "/sign-out", "/enter/")
"""Beginnings of paths to which nobody who has just signed in is sent."""
BYTES_OF_LOGIN = 8_000

log = structlog.get_logger()


@dataclass(slots=True)
class Signing:
    """*http* asks OpenID providers; *known* is what they said of themselves, by issuer.

    *away* is until when those are not asked again that did not answer.
    """

    parts: Parts
    http: Callable[[], Http]
    passwords: Passwords = field(default_factory=Passwords)
    seldom: Seldom = field(default_factory=Seldom)
    known: dict[str, Any] = field(default_factory=dict)
    away: dict[str, datetime] = field(default_factory=dict)

    def warn(self, why: str) -> None:
        """Log now and then, in a closed word, why strangers were refused."""
        if times := self.seldom.times(why):
            log.warning("refused at the board", why=why, times=times)

    def count(self, means: Signed, outcome: str) -> None:
        """Count a try to sign in."""
        self.parts.metrics.sign_ins.count(means, outcome)

    async def close(self, _app: web.Application) -> None:
        """Let the threads go."""
        self.passwords.close()


SIGNING = web.AppKey("signing", Signing)


def of(request: web.Request) -> Signing:
    """What *request* may be signed in with."""
    return request.app[SIGNING]


def local(path: str) -> str:
    """*path* if it is one of ours, else the queue: nobody is sent elsewhere after signing in.

    Browsers leave out tabs and line ends, and read a backslash as a slash.
    """
    fit = path.startswith("/") and path[1:2] not in {"/", "\\"} and path.isprintable()
    return path if fit and not path.startswith(DOORS) and len(path) <= MOST_NEXT else "/"


def is_sandbox(settings: Settings) -> bool:
    """Whether nothing real is to be seen here, and only from this machine: all accounts are played.

    Then the printed link signs in at once, without a password.
    """
    played = [found.account.sandbox for found in settings.accounts.values()]
    return settings.web is not None and settings.web.loopback and bool(played) and all(played)


async def begin(
    db: Db,
    request: web.Request,
    person: Person,
    means: Signed,
    now: datetime,
    login: str | None = None,
) -> str:
    """Sign *person* in, in the caller's transaction; what the new cookie holds.

    Always a new secret: whoever knew the one before knows nothing. The session before ends.
    """
    address, secret = arriving.address(request), cookies.secret()
    if before := request.get(SESSION):
        await sessions.end(db, before.id, "signed_out", now)
    kept = login if login is None or len(login) <= BYTES_OF_LOGIN else None
    await sessions.begin(
        db,
        secret,
        person.name,
        means,
        address=address,
        network=networks.near(address),
        browser=arriving.browser(request),
        login=kept,
        now=now,
    )
    who = person.who("session", address)
    await audit.write(db, who, "sign-in", detail={"outcome": "success", "by": means}, now=now)
    return secret


def welcome(request: web.Request, secret: str, to: str) -> web.Response:
    """Send whoever is signed in with *secret* to *to*."""
    secure, settings = arriving.secure(request), arriving.settings(request)
    response = web.Response(status=303, headers={"Location": local(to)})
    seconds = int(settings.session_longest.total_seconds())
    cookies.give(response, "session", secret, secure=secure, seconds=seconds)
    cookies.take(response, "visit", secure=secure)
    return response


async def end(request: web.Request) -> str | None:
    """Sign out; what the OpenID provider that signed in wants to see, None where none did."""
    found: Session | None = request.get(SESSION)
    if found is None:
        return None
    now = parts(request).now()
    async with transaction(parts(request).pool()) as db:
        if await sessions.end(db, found.id, "signed_out", now):
            await audit.write(db, who(request), "sign-out", now=now)
            await wake.somebody(db, who(request).name)
    return found.login
