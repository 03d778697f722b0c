"""Where the link in a notice leads: what it is about, and the button that takes it.

Opening it changes nothing: mail scanners and previews of chats follow links. Only its button acts,
and it needs no sign-in. No address, and no word of a buyer, is shown or logged.
"""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog

from core.desk import leases, taking
from core.desk.claiming import Held
from core.desk.taking import Acknowledged, Offer
from core.store import audit, transaction
from core.web import pages
from core.web.signing import arriving, service
from core.web.ways import OPEN, Way, parts

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp import web

    from core.desk.links import Flaw
    from core.desk.taking import Refused
    from core.store import Db

PATH = "/take/{token}"
STATUS = {
    "unreadable": HTTPStatus.NOT_FOUND,
    "expired": HTTPStatus.GONE,
    "gone": HTTPStatus.GONE,
}
"""Of what is refused; of whatever is not named here they may not."""

log = structlog.get_logger()


async def show(request: web.Request) -> web.StreamResponse:
    """Say what the link is about; nothing changes."""
    now = parts(request).now()
    async with transaction(parts(request).pool()) as db:
        found = await _offered(db, request, now)
        if not isinstance(found, Offer):
            return await _refused(db, request, found, now)
    return _page(request, found, "over" if found.about.over else "asked")


async def act(request: web.Request) -> web.StreamResponse:
    """Take it, and say what came of it."""
    of = parts(request)
    now = of.now()
    async with transaction(of.pool()) as db:
        found = await _offered(db, request, now)
        if not isinstance(found, Offer):
            return await _refused(db, request, found, now)
        made = await taking.take(db, found, now, leases.terms(of.settings().board))
    if made is None:
        return _page(request, found, "over")
    if isinstance(made, Acknowledged):
        return _page(request, found, "acknowledged")
    if isinstance(made, Held):
        return _page(request, found, "held", claim=made.claim, status=HTTPStatus.CONFLICT)
    return _page(request, found, "taken", claim=made)


async def _offered(db: Db, request: web.Request, now: datetime) -> Offer | Flaw | Refused:
    of = parts(request)
    directory, notifiers = of.rules().routing.directory, of.settings().notifiers
    token, address = request.match_info["token"], arriving.address(request)
    return await taking.offered(db, token, directory, notifiers, now, address)


async def _refused(db: Db, request: web.Request, why: str, now: datetime) -> web.Response:
    """Say why, and write it down: without the token, of which nobody knows whose it is."""
    signing = service.of(request)
    signing.warn(f"link: {why}")
    link = sha256(request.match_info["token"].encode("utf-8", "replace")).digest()
    # Unreadable ones anybody can make, and the others can be opened as often as one likes.
    if why != "unreadable" and signing.seldom.times(("link", why, link)):
        address = arriving.address(request)
        detail = {"asked": "take", "why": why}
        await audit.write(db, None, "refused", detail=detail, address=address, now=now)
    status = STATUS.get(why, HTTPStatus.FORBIDDEN)
    return pages.page(request, "taken.html", status=status, state="refused", why=why)


def _page(
    request: web.Request,
    offer: Offer,
    state: str,
    *,
    claim: object = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> web.Response:
    about = offer.about
    account = parts(request).rules().accounts.get(about.account)
    return pages.page(
        request,
        "taken.html",
        status=status,
        state=state,
        why="",
        about=about,
        title=account.title if account else about.account,
        claim=claim or offer.claim,
        mine=offer.claim is not None and offer.claim.by == offer.who.name,
    )


WAYS = (
    Way("GET", PATH, show, OPEN),
    Way("HEAD", PATH, show, OPEN),  # mail scanners ask so before anybody follows it
    Way("POST", PATH, act, OPEN),
)
