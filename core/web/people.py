"""Who may sign in: for those who let people in."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import web

from core.access import Act, Role
from core.desk import admitting
from core.desk import tokens as desk_tokens
from core.errors import Mistaken
from core.store import people, sessions, tokens, transaction
from core.web import pages
from core.web.signing import arriving, identity
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from multidict import MultiDictProxy

    from core.access import SignIn, Who
    from core.store import Db
    from core.store.sessions import Session

    Form: TypeAlias = MultiDictProxy[str | bytes | bytearray | web.FileField]

PATH = "/people"
MOST_SIGNED = 500
"""Browsers in which somebody is signed in, as the page lists them: those used last."""


async def show(request: web.Request) -> web.Response:
    """Everybody who sees no more than who asks, what they may, and their tokens."""
    return await _shown(request)


async def _shown(
    request: web.Request,
    *,
    wrong: str = "",
    link: str = "",
    of: str = "",
    binds: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> web.Response:
    here = parts(request)
    async with transaction(here.pool()) as db:
        everybody, issued = await people.all_(db), await tokens.all_(db)
        signed = await _signed(request, db)
    asks = who(request)
    theirs = [one for one in everybody if admitting.is_within(asks, one.accounts)]
    names = {one.name for one in theirs} | {asks.name}
    return pages.page(
        request, "people.html", status=status, people=theirs, roles=list(Role),
        tokens=[one for one in issued if one.person in names],
        accounts=sorted(name for name in here.rules().accounts if asks.sees(name)),
        signed=[(name, one) for name, one in signed if name in names],
        wrong=wrong, link=link, of=of, binds=binds, by=_by(request),
    )  # fmt: skip


async def _signed(request: web.Request, db: Db) -> list[tuple[str, Session]]:
    """Who is signed in by what signs in today, as far as a page lists it."""
    settings, now = arriving.settings(request), parts(request).now()
    made, seen = now - settings.session_longest, now - settings.session_idle
    return await sessions.open_(db, made, seen, identity.FITS[settings.sign_in], MOST_SIGNED)


def _by(request: web.Request) -> SignIn:
    return arriving.settings(request).sign_in


async def _done(
    request: web.Request, do: Callable[[Db, Who, Form], Awaitable[None]]
) -> web.StreamResponse:
    """Do it in a transaction, and show everybody again; or say why it cannot be."""
    form = await request.post()
    try:
        async with transaction(parts(request).pool()) as db:
            await do(db, who(request), form)
    except Mistaken as fault:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return await _shown(request, wrong=pages.tell(request, fault.said), status=status)
    raise web.HTTPSeeOther(PATH)


async def add(request: web.Request) -> web.StreamResponse:
    """Add somebody."""

    async def do(db: Db, asks: Who, form: Form) -> None:
        await admitting.add(
            db, asks, _text(form, "name").lower(), title=_text(form, "title"),
            role=admitting.known_role(_text(form, "role")), accounts=_accounts(form),
            now=parts(request).now(),
        )  # fmt: skip

    return await _done(request, do)


async def grant(request: web.Request) -> web.StreamResponse:
    """Change what somebody may."""

    async def do(db: Db, asks: Who, form: Form) -> None:
        await admitting.grant(
            db, asks, _text(form, "name"), title=_text(form, "title"),
            role=admitting.known_role(_text(form, "role")), accounts=_accounts(form),
            by=_by(request), now=parts(request).now(),
        )  # fmt: skip

    return await _done(request, do)


async def disable(request: web.Request) -> web.StreamResponse:
    """Let somebody in no more."""

    async def do(db: Db, asks: Who, form: Form) -> None:
        await admitting.disable(db, asks, _text(form, "name"), _by(request), parts(request).now())

    return await _done(request, do)


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End all sessions of somebody, wherever they are signed in."""

    async def do(db: Db, asks: Who, form: Form) -> None:
        await admitting.sign_out(db, asks, _text(form, "name"), parts(request).now())

    return await _done(request, do)


async def enable(request: web.Request) -> web.StreamResponse:
    """Let somebody in again."""

    async def do(db: Db, asks: Who, form: Form) -> None:
        await admitting.enable(db, asks, _text(form, "name"), parts(request).now())

    return await _done(request, do)


async def end_token(request: web.Request) -> web.StreamResponse:
    """End anybody's token."""

    async def do(db: Db, asks: Who, form: Form) -> None:
        said = _text(form, "number")
        number = int(said) if said.isdecimal() and len(said) < 19 else 0
        await desk_tokens.end(db, asks, number, parts(request).now())

    return await _done(request, do)


async def invite(request: web.Request) -> web.StreamResponse:
    """Make a link that lets somebody in once, and show it this once."""
    return await _linked(request, binds=False)


async def bind(request: web.Request) -> web.StreamResponse:
    """Make a link that binds somebody to their account at the OpenID provider."""
    if _by(request) != "oidc":
        raise web.HTTPNotFound
    return await _linked(request, binds=True)


async def _linked(request: web.Request, *, binds: bool) -> web.StreamResponse:
    name = _text(await request.post(), "name")
    try:
        async with transaction(parts(request).pool()) as db:
            secret = await admitting.invite(
                db, who(request), name, parts(request).now(), binds=binds
            )
    except Mistaken as fault:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return await _shown(request, wrong=pages.tell(request, fault.said), status=status)
    return await _shown(
        request, link=f"{arriving.base(request)}/enter/{secret}", of=name, binds=binds
    )


def _text(form: Form, key: str) -> str:
    return str(form.get(key, "")).strip()


def _accounts(form: Form) -> frozenset[str] | None:
    """The accounts that were chosen; None: all, which has to be said.

    Raises:
        Mistaken: none was; or some, and all of them too.
    """
    chosen = frozenset(str(one) for one in form.getall("account", []))
    if "all" in form and chosen:
        raise Mistaken("all accounts and some are two wishes; choose one of them")
    if "all" in form:
        return None
    if not chosen:
        raise Mistaken("choose the accounts that they see, or all of them")
    return chosen


WAYS = (
    Way("GET", PATH, show, Act.PEOPLE),
    Way("POST", "/people/add", add, Act.PEOPLE),
    Way("POST", "/people/grant", grant, Act.PEOPLE),
    Way("POST", "/people/disable", disable, Act.PEOPLE),
    Way("POST", "/people/enable", enable, Act.PEOPLE),
    Way("POST", "/people/invite", invite, Act.PEOPLE),
    Way("POST", "/people/bind", bind, Act.PEOPLE),
    Way("POST", "/people/sign-out", sign_out, Act.PEOPLE),
    Way("POST", "/people/token/end", end_token, Act.PEOPLE),
)
