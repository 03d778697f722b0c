"""One's own page: language and zone, password, tokens, and where one is signed in."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from core.access import MAY, Act, Role
from core.desk import admitting, passwords, patience
from core.desk import tokens as desk_tokens
from core.desk.passwords import Busy
from core.errors import Mistaken
from core.store import invitations, people, sessions, tokens, transaction
from core.web import pages, words
from core.web.signing import arriving, entrance, service
from core.web.signing.entrance import Given, NotSignedIn
from core.web.signing.identity import SESSION
from core.web.ways import Way, parts, who
from sla import zones

if TYPE_CHECKING:
    from multidict import MultiDictProxy

    from core.store.sessions import Session

PATH = "/me"
DAYS = (7, 30, 90, 365)
"""What a token may last for, as the page offers it."""

LINKS = 5
"""Links that others made by which one could be entered as: so many, the newest."""


async def show(request: web.Request) -> web.Response:
    """One's own page."""
    return await _shown(request)


async def _shown(
    request: web.Request,
    *,
    wrong: str = "",
    faults: list[str] | None = None,
    done: str = "",
    secret: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> web.Response:
    here, asks, settings = parts(request), who(request), arriving.settings(request)
    now = here.now()
    async with transaction(here.pool()) as db:
        own = await tokens.of_person(db, asks.name)
        signed = await sessions.of_person(
            db, asks.name, now - settings.session_longest, now - settings.session_idle
        )
        person = await people.of(db, asks.name)
        links = await invitations.made_for(db, asks.name, LINKS)
    languages = {code: words.tongue(code, code) for code in words.catalogues()}
    return pages.page(
        request, "me.html", status=status, person=person, tokens=own, sessions=signed, links=links,
        session=_session(request), languages=languages, zones=sorted(zones.names()),
        roles=[role for role in Role if MAY[role] <= MAY[asks.role]], days=DAYS,
        accounts=sorted(asks.accounts if asks.accounts is not None else here.rules().accounts),
        shortest=passwords.SHORTEST, by=settings.sign_in, wrong=wrong, faults=faults or [],
        done=done, secret=secret,
    )  # fmt: skip


def _session(request: web.Request) -> int | None:
    found: Session | None = request.get(SESSION)
    return found.id if found else None


async def _refused(request: web.Request, **why: object) -> web.Response:
    return await _shown(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, **why)  # type: ignore[arg-type]  # its own keywords


async def prefer(request: web.Request) -> web.StreamResponse:
    """Choose what one's pages are written in; empty: as the browser asks, and the settings say."""
    form = await request.post()
    language, zone = str(form.get("language", "")), str(form.get("zone", "")).strip()
    if (language and language not in words.catalogues()) or (zone and zone not in zones.names()):
        return await _refused(request, wrong="zone")
    async with transaction(parts(request).pool()) as db:
        await people.prefer(db, who(request).name, language or None, zone or None)
    raise web.HTTPSeeOther(PATH)


async def change_password(request: web.Request) -> web.StreamResponse:
    """Choose another password; whoever else is signed in with the old one is not any more."""
    if arriving.settings(request).sign_in != "password" or who(request).means != "session":
        raise web.HTTPNotFound
    form = await request.post()
    password, again = str(form.get("password", "")), str(form.get("again", ""))
    faults = passwords.faults(password, who(request).name, who(request).title)
    if password != again:
        faults.append("again")
    if faults:
        return await _refused(request, faults=faults)
    try:
        is_known = await _is_own(request, str(form.get("current", "")))
        hashed = await service.of(request).passwords.hashed(password)
    except Busy:
        return await _refused(request, wrong="busy")
    if not is_known:
        return await _refused(request, wrong="current")
    async with transaction(parts(request).pool()) as db:
        now = parts(request).now()
        await admitting.change_password(db, who(request), hashed, _session(request), now)
    return await _shown(request, done="password")


async def _is_own(request: web.Request, password: str) -> bool:
    """Whether it is the password until now; guesses at an open desk wait as those at the door."""
    try:
        made, hashed = await entrance.checked(request, Given(who(request).name, password))
    except NotSignedIn:
        return False
    if hashed is None:
        return False
    async with transaction(parts(request).pool()) as db:
        await patience.succeeded(db, made)
    return True


async def make_token(request: web.Request) -> web.StreamResponse:
    """Make a token, and show it this once."""
    form, now = await request.post(), parts(request).now()
    chosen = [str(one) for one in form.getall("account", [])]
    days = str(form.get("days", ""))
    lasts = timedelta(days=int(days)) if days.isdecimal() and len(days) < 5 else None
    try:
        role = admitting.known_role(str(form.get("role", "")))
        own = who(request).accounts
        accounts = frozenset(chosen) if chosen else own
        async with transaction(parts(request).pool()) as db:
            secret = await desk_tokens.make(
                db, who(request), str(form.get("name", "")), role, accounts, lasts, now
            )
    except Mistaken as fault:
        return await _refused(request, wrong=pages.tell(request, fault.said))
    return await _shown(request, secret=secret)


async def end_token(request: web.Request) -> web.StreamResponse:
    """End one of one's tokens."""
    number = _number(await request.post())
    async with transaction(parts(request).pool()) as db:
        await desk_tokens.end(db, who(request), number, parts(request).now())
    raise web.HTTPSeeOther(PATH)


async def end_session(request: web.Request) -> web.StreamResponse:
    """End a session of one's own, or (``others``) all but this."""
    form, asks, now = await request.post(), who(request), parts(request).now()
    async with transaction(parts(request).pool()) as db:
        if "others" in form:
            await sessions.end_all(db, asks.name, "ended", now, but=_session(request))
        else:
            await sessions.end_of(db, _number(form), asks.name, now)
        await admitting.ended_sessions(db, asks, now)
    raise web.HTTPSeeOther(PATH)


def _number(form: MultiDictProxy[str | bytes | bytearray | web.FileField]) -> int:
    said = str(form.get("number", ""))
    return int(said) if said.isdecimal() and len(said) < 19 else 0


WAYS = (
    Way("GET", PATH, show, Act.LOOK),
    Way("POST", "/me/prefer", prefer, Act.LOOK),
    Way("POST", "/me/password", change_password, Act.LOOK),
    Way("POST", "/me/token", make_token, Act.LOOK),
    Way("POST", "/me/token/end", end_token, Act.LOOK),
    Way("POST", "/me/session/end", end_session, Act.LOOK),
)
