"""Claiming a thread and giving it back, by the button on its line or its page."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from core.access import Act
from core.desk import claiming, leases
from core.desk.claiming import Held
from core.store import titles, transaction
from core.web import pages
from core.web.signing import service
from core.web.ways import Way, parts, who


async def claim(request: web.Request) -> web.StreamResponse:
    """Claim a thread; where it is another's, say whose: they may keep it, or not (``over``)."""
    account, thread = request.match_info["account"], request.match_info["thread"]
    of, asks = parts(request), who(request)
    form = await request.post()
    back = service.local(str(form.get("back", "/")))
    async with transaction(of.pool()) as db:
        made = await claiming.claim(
            db,
            asks,
            account,
            thread,
            of.now(),
            leases.terms(of.settings().board),
            over="over" in form,
        )
    if not isinstance(made, Held):
        raise web.HTTPSeeOther(back)
    async with transaction(of.pool()) as db:
        called = await titles.of(db, [made.claim.by])
    return pages.page(
        request,
        "held.html",
        status=HTTPStatus.CONFLICT,
        claim=made.claim,
        by=called.get(made.claim.by, made.claim.by),
        back=back,
    )


async def release(request: web.Request) -> web.StreamResponse:
    """Give a thread back; one that nobody has is free already."""
    account, thread = request.match_info["account"], request.match_info["thread"]
    of = parts(request)
    back = service.local(str((await request.post()).get("back", "/")))
    async with transaction(of.pool()) as db:
        await claiming.release(db, who(request), account, thread, of.now())
    raise web.HTTPSeeOther(back)


WAYS = (
    Way("POST", "/claim/{account}/{thread:.+}", claim, Act.CLAIM),
    Way("POST", "/release/{account}/{thread:.+}", release, Act.CLAIM),
)
