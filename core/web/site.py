"""The board and the API: every room's ways, and what stands before each of them.

Who asks is known first, then what they may, then whether a page of ours asks for it; only then it
is answered. Whatever goes wrong is told as a page, or to a program as RFC 9457 has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog
from aiohttp import web

from core.access import Act
from core.errors import Mistaken, NotAllowed, StoreUnavailable
from core.said import phrase
from core.store import audit, transaction
from core.web import (
    answer,
    claim,
    entering,
    files,
    glance,
    hub,
    links,
    live,
    macros,
    me,
    onward,
    pages,
    people,
    preview,
    queue,
    rescue,
    saying,
    status,
    talk,
    thread,
    tongue,
    trail,
    wall,
)
from core.web.api import problems
from core.web.api import room as api
from core.web.signing import arriving, bodies, cookies, forms, identity, openid, service
from core.web.signing.identity import SESSION, Unknown
from core.web.ways import MOST_BYTES, OPEN, PARTS, WHO, Answers, Way, parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.access import Who
    from core.said import Said
    from core.web.rescue import Typed
    from core.web.signing.service import Signing
    from core.web.ways import Parts

ROOMS: tuple[tuple[Way, ...], ...] = (
    files.WAYS,
    entering.WAYS,
    me.WAYS,
    people.WAYS,
    trail.WAYS,
    status.WAYS,
    thread.WAYS,
    queue.WAYS,
    onward.WAYS,
    claim.WAYS,
    answer.WAYS,
    preview.WAYS,
    saying.WAYS,
    tongue.WAYS,
    macros.WAYS,
    links.WAYS,
    wall.WAYS,
    live.WAYS,
    api.WAYS,
)
"""What there is to enter; a new room stands here, and in `tests/web/test_matrix.py`."""

HEADLESS = frozenset({live.PATH, trail.FILE, openid.PATH, openid.BACK})
"""What is no page: it goes on, or something comes of it."""
PAGES = frozenset(way.path for room in ROOMS for way in room if way.method == "GET")
SAFE = frozenset({"GET", "HEAD"})
LEAKED = re.compile(r"(?:^|[=&/])rb_[A-Za-z0-9_-]{16,}|(?:^|&)access_token=")
LEAK = phrase(
    "A token stood in the address, where every proxy writes it down: end it, and send the next one "
    "in the header Authorization."
)
AGAIN = frozenset({"form", "origin"})
"""Refusals that an old page may cause by itself, however often: written down now and then."""
KEPT = frozenset({"Allow", "Retry-After"})
"""Of a fault's headers, what a page of ours says too."""
APART = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""No window of another site holds on to one of ours, and none shows what is ours as its own."""
API = "/api/"

log = structlog.get_logger()


class Refusal(web.HTTPForbidden):
    """They are known, and may not: *why* is a closed word."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


def every() -> tuple[Way, ...]:
    """Every way into the board and the API."""
    return tuple(way for room in ROOMS for way in room)


def application(
    parts: Parts, signing: Signing, ways: Iterable[Way] | None = None
) -> web.Application:
    """All rooms behind one door, or the *ways* that are given."""
    app = web.Application(middlewares=[_crashed, _told, _addressed], client_max_size=MOST_BYTES)
    app.on_response_prepare.append(_guarded)
    app[PARTS] = parts
    app[service.SIGNING] = signing
    glance.attach(app, parts)
    hub.attach(app, parts)
    for way in every() if ways is None else ways:
        door = _Door(way)
        app.router.add_route(way.method, way.path, door.answer)
        if way.method == "GET" and (way.api or _is_page(way)):
            app.router.add_route("HEAD", way.path, door.answer)
    return app


def _is_page(way: Way) -> bool:
    """Whether it shows a page under a fixed address, which those ask for who watch the board."""
    return "{" not in way.path and way.path not in HEADLESS


async def _guarded(request: web.Request, response: web.StreamResponse) -> None:
    """Let no page of another site take part in what is answered; all that is sent comes by here."""
    response.headers.update(APART)
    settings = arriving.settings(request)
    if settings.strict_transport is not None and arriving.secure(request):
        seconds = int(settings.strict_transport.total_seconds())
        response.headers["Strict-Transport-Security"] = f"max-age={seconds}"


@dataclass(frozen=True, slots=True)
class _Door:
    """What stands before a way."""

    way: Way

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer *request*, if whoever asks may have it."""
        way = self.way
        if way.path.startswith(files.PATH):
            return await way.answer(request)
        who = await identity.of(request, api=way.api)
        if who is not None:
            request[WHO] = who
        secure = arriving.secure(request)
        kept = cookies.read(request, "session" if SESSION in request else "visit", secure=secure)
        secret = kept or cookies.secret()
        request[pages.CSRF] = forms.token(secret)
        response: web.StreamResponse
        if way.act != OPEN and who is None:
            return await _first_sign_in(request, way)
        try:
            _allow(request, way, who)
            bodies.expect_little(request, way, who)
            await bodies.read(request)
            await _expect_form(request, who, secret)
        except Refusal as refusal:
            led = await entering.led_on(request) if refusal.why == "form" else None
            if led is None:
                await _note(request, way, who, refusal.why)
                if refusal.why == "account":  # whether there is such a one is not theirs to know
                    raise web.HTTPNotFound from None
                raise
            response = led
        else:
            response = await self._answered(request, who)
        if kept is None and not response.prepared:
            cookies.give(response, "visit", secret, secure=secure, seconds=None)
        return response

    async def _answered(self, request: web.Request, who: Who | None) -> web.StreamResponse:
        try:
            return await self.way.answer(request)
        except NotAllowed as fault:
            await _note(request, self.way, who, "not_theirs", fault.place)
            raise


def _allow(request: web.Request, way: Way, who: Who | None) -> None:
    """Let *who* pass who may do this, here.

    Raises:
        Refusal: they may not.
    """
    if way.act == OPEN or who is None:
        return
    act, account = Act(way.act), request.match_info.get("account")
    if not who.may(act):
        raise Refusal("role")
    if not who.may(act, account):
        raise Refusal("account")


async def _expect_form(request: web.Request, who: Who | None, secret: str) -> None:
    """Expect of whatever changes something that a page of ours asks for it.

    A token is no cookie: no browser sends it for another site.

    Raises:
        Refusal: no page of ours asks.
    """
    if request.method in SAFE or (who is not None and who.means == "token"):
        return
    if not forms.is_ours(request.headers, arriving.settings(request).public_url):
        raise Refusal("origin")
    if forms.is_token(request.headers.get(forms.HEADER), secret):
        return
    if not forms.is_token((await request.post()).get(forms.FIELD), secret):
        raise Refusal("form")


async def _note(
    request: web.Request,
    way: Way,
    who: Who | None,
    why: str,
    place: tuple[str, str] | None = None,
) -> None:
    """Write down what was refused to somebody who is known; say of others now and then.

    *place* is the account and the thread that it was about, where the address does not name them.
    """
    if who is None:
        request.app[service.SIGNING].warn(why)
        return
    if why in AGAIN and not request.app[service.SIGNING].seldom.times((why, who.name, way.path)):
        return
    log.warning("refused", person=who.name, asked=way.path, why=why, address=who.address)
    detail = {"asked": str(way.act), "path": way.path, "why": why}
    named = request.match_info
    account, thread = place or (named.get("account"), named.get("thread"))
    async with transaction(parts(request).pool()) as db:
        await audit.write(
            db,
            who,
            "refused",
            account=account,
            thread=thread,
            detail=detail,
            now=parts(request).now(),
        )


async def _first_sign_in(request: web.Request, way: Way) -> web.StreamResponse:
    """Send a person to the page where they sign in, and back; tell a program what to show."""
    if way.api:
        response = await told(request, HTTPStatus.UNAUTHORIZED)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    to = f"{entering.PATH}?next={quote(_page(request), safe='/')}"
    if "HX-Request" in request.headers:
        # Of a page with a form only that is said: what is typed there is not to be lost.
        led = {"HX-Redirect": to} if request.method in SAFE else {}
        return web.Response(status=HTTPStatus.UNAUTHORIZED, headers=led)
    if (typed := await rescue.typed(request)) is not None:
        return _fault(request, HTTPStatus.UNAUTHORIZED, None, typed)
    raise web.HTTPSeeOther(to)


def _page(request: web.Request) -> str:
    """The page to come back to: what is asked for, or else where whoever asks was."""
    if request.method in SAFE:
        return request.path_qs
    where = request.match_info.get("account"), request.match_info.get("thread")
    if where[0] and where[1]:
        return pages.thread_path(where[0], where[1])
    room = f"/{request.path.split('/')[1]}"
    return room if room in PAGES else "/"


@web.middleware
async def _crashed(request: web.Request, handler: Answers) -> web.StreamResponse:
    """Tell a bug of ours, too, as a fault is told."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as bug:
        if not talk.crashed(request, bug):
            raise
        return await told(request, HTTPStatus.INTERNAL_SERVER_ERROR)


@web.middleware
async def _told(request: web.Request, handler: Answers) -> web.StreamResponse:
    """Tell every fault in words of ours, none of which quotes the request."""
    try:
        return await handler(request)
    except web.HTTPException as fault:
        if fault.status < HTTPStatus.BAD_REQUEST:
            raise
        why = fault.why if isinstance(fault, Refusal) else ""
        response = await told(request, HTTPStatus(fault.status), why=why)
        response.headers.update({k: v for k, v in fault.headers.items() if k in KEPT})
        return response
    except Unknown as fault:
        request.app[service.SIGNING].warn(fault.why)
        response = await told(request, HTTPStatus.UNAUTHORIZED, said=fault.said)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    except NotAllowed as fault:
        return await told(request, HTTPStatus.FORBIDDEN, said=fault.said)
    except Mistaken as fault:
        return await told(request, HTTPStatus.UNPROCESSABLE_ENTITY, said=fault.said)
    except StoreUnavailable:
        response = await told(request, HTTPStatus.SERVICE_UNAVAILABLE)
        response.headers["Retry-After"] = "5"
        return response


@web.middleware
async def _addressed(request: web.Request, handler: Answers) -> web.StreamResponse:
    """Answer what is addressed to us, by a name of ours and with no token in the address.

    Raises:
        HTTPMisdirectedRequest: it is not.
        HTTPNotFound: nothing can be called so.
        HTTPBadRequest: what it asks for can be nothing.
        Mistaken: a token stands there.
    """
    settings, signing = arriving.settings(request), request.app[service.SIGNING]
    bodies.expect_storable(request)
    if not forms.is_called(request.host, settings.public_url, loopback=settings.loopback):
        signing.warn("host")
        raise web.HTTPMisdirectedRequest
    if LEAKED.search(request.query_string):
        signing.warn("token_in_address")
        raise Mistaken(LEAK)
    return await handler(request)


async def told(
    request: web.Request, status: HTTPStatus, *, said: Said | None = None, why: str = ""
) -> web.Response:
    """A fault as a page, or to a program as problem details; *said* quotes nothing.

    *why* is the word of a `Refusal`, which a page tells by its status alone.
    """
    if request.path.startswith(API):
        if status == HTTPStatus.METHOD_NOT_ALLOWED and request.method == "OPTIONS":
            return problems.options()
        text = str(said) if said else problems.REFUSED.get(why)
        return problems.response(problems.of_status(status, text))
    detail = pages.tell(request, said) if said else None
    return _fault(request, status, detail, await rescue.typed(request))


def _fault(
    request: web.Request, status: HTTPStatus, detail: str | None, typed: Typed | None
) -> web.Response:
    said = {"code": int(status), "detail": detail, "typed": typed, "back": quote(_page(request))}
    return pages.page(request, "fault.html", status=status, **said)
