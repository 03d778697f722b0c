"""The doors: signing in and out, and links that let somebody in once.

Who opens a link sees a page, and only its button lets them in: mail scanners and previews of chats
follow links. In a sandbox on this machine the printed link opens straight onto the board.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web

from core.desk import admitting, passwords
from core.desk.passwords import Busy
from core.errors import Mistaken
from core.store import invitations, transaction
from core.web import pages
from core.web.signing import arriving, cookies, entrance, openid, service
from core.web.signing.entrance import Given, NotSignedIn
from core.web.ways import OPEN, WHO, Way, parts

if TYPE_CHECKING:
    from core.store.invitations import Invitation

PATH, OUT = "/sign-in", "/sign-out"
SANDBOX = "admin"
"""Who signs in by the printed link where everything is played."""


async def ask(request: web.Request) -> web.Response:
    """The page to sign in at."""
    to = service.local(request.query.get("next", "/"))
    if WHO in request:
        raise web.HTTPSeeOther(to)
    return _asked(request, to)


def _asked(
    request: web.Request,
    to: str,
    *,
    why: str = "",
    name: str = "",
    wait: int = 0,
    status: HTTPStatus = HTTPStatus.OK,
) -> web.Response:
    by = arriving.settings(request).sign_in
    facts = {"to": to, "why": why, "name": name, "wait": wait, "by": by, "quoted": quote(to)}
    response = pages.page(request, "sign-in.html", status=status, **facts)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Sign in by name and password."""
    form = await request.post()
    to = service.local(str(form.get("next", "/")))
    if arriving.settings(request).sign_in != "password":
        raise web.HTTPNotFound
    name = str(form.get("name", "")).strip().lower()[: entrance.MOST_NAME]
    try:
        secret = await entrance.by_password(request, Given(name, str(form.get("password", ""))))
    except NotSignedIn as fault:
        seconds = int(fault.wait.total_seconds()) + 1 if fault.wait else 0
        status = HTTPStatus.TOO_MANY_REQUESTS if seconds else HTTPStatus.FORBIDDEN
        return _asked(request, to, why=fault.why, name=name, wait=seconds, status=status)
    except Busy:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return _asked(request, to, why="busy", name=name, wait=5, status=status)
    return service.welcome(request, secret, to)


async def led_on(request: web.Request) -> web.Response | None:
    """What a form of a page says that is older than a sign-in or a sign-out in another tab.

    Who is signed in meanwhile, or signed out, has what they wanted; else the page is shown anew.
    None: it is no form of these.
    """
    asked = request.method, request.path
    form = await request.post()
    to = service.local(str(form.get("next", "/")))
    if asked == ("POST", PATH) and WHO in request:
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": to})
    if asked == ("POST", OUT) and WHO not in request:
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": PATH})
    if asked != ("POST", PATH) or arriving.settings(request).sign_in != "password":
        return None
    name = str(form.get("name", ""))[: entrance.MOST_NAME]
    return _asked(request, to, why="old", name=name, status=HTTPStatus.FORBIDDEN)


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End the session; where an OpenID provider began it, its own too.

    There a page of ours leads: browsers follow no form to another site where ``form-action`` is
    ``'self'``, not by a redirect either.
    """
    login = await service.end(request)
    request.pop(WHO, None)
    response: web.Response
    if login is not None and (there := await openid.farewell(request, login)):
        response = pages.page(request, "signed-out.html", there=there)
    else:
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": PATH})
    cookies.take(response, "session", secure=arriving.secure(request))
    return response


async def opened(request: web.Request) -> web.StreamResponse:
    """What a link opens: a page with a button; in a sandbox the board."""
    link = await _link(request)
    if link is None:
        return _entering(request, None, status=HTTPStatus.GONE)
    if link.person is None and service.is_sandbox(parts(request).settings()):
        return await _enter(request, SANDBOX, None)
    return _entering(request, link)


async def entered(request: web.Request) -> web.StreamResponse:
    """Use the link: with a password of one's own, where passwords sign in."""
    link = await _link(request)
    if link is None:
        return _entering(request, None, status=HTTPStatus.GONE)
    if link.binds:
        return await openid.bind(request, request.match_info["token"])
    return await _entered(request, link)


async def _entered(request: web.Request, link: Invitation) -> web.StreamResponse:
    form = await request.post()
    name = link.person or str(form.get("name", "")).strip().lower()
    if admitting.NAME.fullmatch(name) is None:
        return _unfit(request, link, ["no_name"], name)
    if arriving.settings(request).sign_in != "password":
        return await _enter(request, name, None)
    password, again = str(form.get("password", "")), str(form.get("again", ""))
    wrong = passwords.faults(password, name)
    if password != again:
        wrong.append("again")
    if wrong:
        return _unfit(request, link, wrong, name)
    try:
        hashed = await service.of(request).passwords.hashed(password)
    except Busy:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return _entering(request, link, wrong=["busy"], name=name, status=status)
    return await _enter(request, name, hashed)


def _unfit(request: web.Request, link: Invitation, wrong: list[str], name: str) -> web.Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _entering(request, link, wrong=wrong, name=name, status=status)


async def _link(request: web.Request) -> Invitation | None:
    async with transaction(parts(request).pool()) as db:
        return await invitations.of(db, request.match_info["token"], parts(request).now())


def _entering(
    request: web.Request,
    link: Invitation | None,
    *,
    wrong: list[str] | None = None,
    name: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> web.Response:
    by = arriving.settings(request).sign_in
    return pages.page(
        request, "enter.html", status=status, link=link, faults=wrong or [], name=name, by=by,
        shortest=passwords.SHORTEST,
    )  # fmt: skip


async def _enter(request: web.Request, name: str, hashed: str | None) -> web.StreamResponse:
    now, address = parts(request).now(), arriving.address(request)
    token = request.match_info["token"]
    try:
        async with transaction(parts(request).pool()) as db:
            person = await admitting.enter(db, token, name, hashed, address, now)
            secret = await service.begin(db, request, person, "link", now)
    except Mistaken:
        return _entering(request, None, status=HTTPStatus.GONE)
    service.of(request).count("link", "success")
    return service.welcome(request, secret, "/")


WAYS = (
    Way("GET", PATH, ask, OPEN),
    Way("POST", PATH, sign_in, OPEN),
    Way("POST", OUT, sign_out, OPEN),
    Way("GET", "/enter/{token}", opened, OPEN),
    Way("POST", "/enter/{token}", entered, OPEN),
    Way("GET", openid.PATH, openid.leave, OPEN),
    Way("GET", openid.BACK, openid.arrive, OPEN),
)
