"""Who asks: by a token, by a trusted proxy's header, or by a session's cookie; looked up each time.

What was taken away since, a role, an account, a password, is so at the next request.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from core.access import MAY, Role, Who
from core.desk import tokens as desk_tokens
from core.store import audit, people, sessions, statement, tokens, transaction, wake
from core.store.sessions import Session
from core.web.signing import arriving, cookies, groups, networks
from core.web.ways import parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.access import SignIn
    from core.configuration.access import Web
    from core.said import Said
    from core.store.people import Person
    from core.store.tokens import Token

SESSION = web.RequestKey("session", Session)
SETTLES = timedelta(minutes=15)
"""How long after a sign-in the first address of the other kind, IPv4 or IPv6, is its own, too: a
browser with both tries them side by side (RFC 8305)."""
BEARER = "bearer "
MOST_BEARER = 200

log = structlog.get_logger()


class Unknown(Exception):  # not an error of ours: a stranger's
    """Nobody is known by what was shown; *why* is a closed word for the log.

    *said* is what to do about it, where that is another thing than to sign in again.
    """

    def __init__(self, why: str, said: Said | None = None) -> None:
        super().__init__(why)
        self.why, self.said = why, said


async def of(request: web.Request, *, api: bool) -> Who | None:
    """Who asks; None: somebody who shows nothing.

    Raises:
        Unknown: what they show is not good, or is no more.
        StoreUnavailable: nobody can be known at this moment.
    """
    settings = arriving.settings(request)
    address = arriving.address(request)
    bearer = request.headers.get("Authorization", "")
    if api and bearer[: len(BEARER)].lower() == BEARER:
        return await _by_token(request, bearer[len(BEARER) :].strip(), address)
    if settings.sign_in == "proxy" and (named := _named(request, settings)):
        return await _by_proxy(request, settings, named, address)
    secret = cookies.read(request, "session", secure=arriving.secure(request))
    return None if secret is None else await _by_session(request, settings, secret, address)


FITS: Mapping[SignIn, frozenset[sessions.Signed]] = MappingProxyType(
    {
        "password": frozenset({"password", "link"}),
        "oidc": frozenset({"oidc", "link"}),
        "proxy": frozenset({"link"}),
    }
)
"""By which means a session may have begun, as people sign in today: whoever changed that shut the
other ways. A link is made by who lets people in, and lets in however they sign in else."""


def is_over(found: Session, settings: Web, now: datetime) -> sessions.Ended | None:
    """Why *found* signs nobody in any more; None: it does. Pure."""
    if found.means not in FITS[settings.sign_in]:
        return "means"
    if found.means == "oidc" and settings.groups and now - found.made_at >= settings.groups_for:
        return "groups"
    if now - found.made_at >= settings.session_longest:
        return "expired"
    return "idle" if now - found.seen_at >= settings.session_idle + sessions.SEEN else None


async def _by_session(request: web.Request, settings: Web, secret: str, address: str) -> Who | None:
    now = parts(request).now()
    async with statement(parts(request).pool()) as db:
        known = await sessions.of(db, secret)
    if known is None:
        return None
    found, person = known
    over = is_over(found, settings, now)
    if over is None and not await _is_from_there(request, settings, secret, known, address):
        over = "address"
    if over is not None:
        await _ended(request, found, person, over, address, now)
        return None
    if now - found.seen_at > sessions.SEEN:
        async with statement(parts(request).pool()) as db:
            await sessions.touch(db, found.id, now)
    request[SESSION] = found
    return person.who("session", address)


async def _is_from_there(
    request: web.Request,
    settings: Web,
    secret: str,
    known: tuple[Session, Person],
    address: str,
) -> bool:
    """Whether a session is used from where it may be; the first address of the other kind may, too.

    That is remembered, of the same browser and soon after the sign-in: who steals a cookie later
    comes too late for it.
    """
    (found, person), bound = known, settings.session_address
    now, near = parts(request).now(), networks.near(address)
    same = networks.is_same(bound, (found.address, found.other), address)
    late = bound == "exact" or now - found.made_at > SETTLES
    if same is not None or late or arriving.browser(request) != found.browser:
        return bool(same)
    async with transaction(parts(request).pool()) as db:
        if await sessions.remember(db, found.id, address, near):
            detail = {"did": "other_address", "began_at": found.address}
            await audit.write(db, person.who("session", address), "session", detail=detail, now=now)
            return True
        again = await sessions.of(db, secret)  # two requests came at once
    places = (again[0].address, again[0].other) if again else ()
    return bool(networks.is_same(bound, places, address))


async def _ended(
    request: web.Request,
    found: Session,
    person: Person,
    why: sessions.Ended,
    address: str,
    now: datetime,
) -> None:
    """End a session; one that comes from elsewhere may be stolen, so its person is to read it."""
    async with transaction(parts(request).pool()) as db:
        if not await sessions.end(db, found.id, why, now):
            return
        await wake.somebody(db, person.name)
        if why == "address":
            detail = {"why": why, "began_at": found.address}
            await audit.write(db, person.who("session", address), "refused", detail=detail, now=now)
            log.warning("session from another address ended", person=person.name, address=address)


async def _by_token(request: web.Request, secret: str, address: str) -> Who:
    now = parts(request).now()
    if not secret.startswith(desk_tokens.PREFIX) or len(secret) > MOST_BEARER:
        raise Unknown("token")
    async with statement(parts(request).pool()) as db:
        known = await tokens.of(db, secret, now)
        if known is None:
            raise Unknown("token")
        found, person = known
        if found.used_at is None or now - found.used_at > tokens.USED:
            await tokens.use(db, found.id, now)
    return narrowed(person.who("token", address), found)


def narrowed(who: Who, token: Token) -> Who:
    """*who* with what both they and their token may. Pure."""
    role = min(who.role, token.role, key=lambda one: len(MAY[Role(one)]))
    both = [one for one in (who.accounts, token.accounts) if one is not None]
    return replace(who, role=role, accounts=frozenset.intersection(*both) if both else None)


def _named(request: web.Request, settings: Web) -> str | None:
    """Whom the proxy names; None: nobody.

    Raises:
        Unknown: somebody else sent the header, or it came twice: one of them may be the browser's.
    """
    said = _once(request, settings.proxy.header)
    if said is None:
        return None
    if not networks.trusted(request.remote, settings.proxies):
        raise Unknown("proxy_header")
    return said.strip().lower() or None


def _once(request: web.Request, header: str) -> str | None:
    """What stands in *header*; None where it did not come.

    Raises:
        Unknown: it came twice.
    """
    said = request.headers.getall(header, [])
    if len(said) > 1:
        raise Unknown("proxy_twice")
    return said[0] if said else None


async def _by_proxy(request: web.Request, settings: Web, named: str, address: str) -> Who:
    """Whom the proxy has signed in, as known here; by their groups where these are written.

    Raises:
        Unknown: they are not known, disabled, or in no group that may look.
    """
    header = settings.proxy.groups
    of_header = (_once(request, header) if header else None) or ""
    may = groups.may(settings, (one.strip() for one in of_header.split(",")))
    pool, now = parts(request).pool(), parts(request).now()
    async with statement(pool) as db:
        person = await people.of(db, named)
    if settings.groups:
        async with transaction(pool) as db:
            person = await groups.follow(db, settings, named, person, may, now)
    if person is None or person.disabled_at is not None:
        raise Unknown("stranger")
    if person.proxied_at is None or now - person.proxied_at > people.PROXIED_EACH:
        async with statement(pool) as db:
            await people.proxied(db, person.name, now)
    return person.who("proxy", address)
