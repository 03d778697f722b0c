"""Payment disputes on ``apiz``: the list in windows of 90 days, one dispute, and answers to it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from aiohttp import web

from connectors.ebay.sandbox import access, disputes, searches
from connectors.ebay.sandbox.access import Refusal
from connectors.ebay.sandbox.disputes import Dispute
from connectors.ebay.sandbox.dossiers import Impossible

if TYPE_CHECKING:
    from datetime import datetime

BASE = "/sell/fulfillment/v1"
DOMAIN = "API_FULFILLMENT"
UNKNOWN, BAD_LIST, BAD_ANSWER, CHANGED = 33001, 33001, 33100, 33011
STATUSES = ("OPEN", "ACTION_NEEDED", "CLOSED")
LONGEST = timedelta(days=90)
MOST = 200


def routes(host: str) -> list[web.RouteDef]:
    """Disputes are on ``apiz`` alone; ``api`` does not know them."""
    if host != "apiz":
        return []
    one = f"{BASE}/payment_dispute/{{id}}"
    return [
        web.get(f"{BASE}/payment_dispute_summary", listed, name="getPaymentDisputeSummaries"),
        web.get(one, shown, name="getPaymentDispute"),
        web.get(f"{one}/activity", activity, name="getActivities"),
        web.post(f"{one}/contest", contest, name="contestPaymentDispute"),
        web.post(f"{one}/accept", accept, name="acceptPaymentDispute"),
    ]


async def listed(request: web.Request) -> web.Response:
    """One page of the disputes in a window, newest first."""
    desk = access.seller_of(request).desk
    if desk.slips_now(Dispute.KIND, "error_inside"):
        return access.answered(access.error(500, "Internal error", 33000, domain=DOMAIN))
    try:
        fit = _fit(request, desk.of(Dispute))
        limit = searches.whole(request, "limit", MOST, 1, MOST)
        offset = searches.whole(request, "offset", 0, 0, None)
    except Refusal as wrong:
        raise _refusal(400, BAD_LIST, str(wrong)) from None
    if desk.slips_now(Dispute.KIND, "empty"):
        fit = []
    page = [disputes.summary(one) for one in fit[offset : offset + limit]]
    if desk.slips_now(Dispute.KIND, "hollow"):
        page = []
    return access.answered(
        {
            "href": str(request.url),
            "limit": limit,
            "offset": offset,
            "total": len(fit),
            **_links(request, limit, offset, len(fit)),
            "paymentDisputeSummaries": page,
        }
    )


async def shown(request: web.Request) -> web.Response:
    """One dispute, whole."""
    return access.answered(disputes.detail(_one(request)))


async def activity(request: web.Request) -> web.Response:
    """What happened in one dispute."""
    return access.answered(disputes.activities(_one(request)))


async def contest(request: web.Request) -> web.Response:
    """The seller contests."""
    return await _respond(request, "CONTEST")


async def accept(request: web.Request) -> web.Response:
    """The seller gives in."""
    return await _respond(request, "ACCEPT")


async def _respond(request: web.Request, choice: Literal["CONTEST", "ACCEPT"]) -> web.Response:
    one = _one(request)
    try:
        said = json.loads(await request.read())
        revision = int(said["revision"])
    except (ValueError, TypeError, KeyError):
        raise _refusal(400, BAD_ANSWER, "Invalid input request") from None
    try:
        one.seller_responds(choice, revision)
    except Impossible as wrong:
        raise _refusal(409, CHANGED, str(wrong)) from None
    return web.Response(status=204)


def _one(request: web.Request) -> Dispute:
    found = access.seller_of(request).desk.one(Dispute, request.match_info["id"])
    if found is None:
        raise _refusal(404, UNKNOWN, "Invalid Payment Dispute Id")
    return found


def _fit(request: web.Request, every: list[Dispute]) -> list[Dispute]:
    """Those that are asked for; an order's id puts every other filter out of force.

    Raises:
        Refusal: a parameter is none.
    """
    order = request.query.get("order_id")
    if order is not None:
        return [one for one in every if one.order.id == order]
    since, before = _window(request)
    statuses = request.query.getall("payment_dispute_status", list(STATUSES))
    if not set(statuses) <= set(STATUSES):
        raise searches.bad("payment_dispute_status", "")
    buyer = request.query.get("buyer_username")
    return [
        one
        for one in every
        if since <= one.opened_at <= before
        and (one.status in statuses or one.status not in STATUSES)
        and (buyer is None or buyer.casefold() in one.buyer.known_as)
    ]


def _window(request: web.Request) -> tuple[datetime, datetime]:
    """When a dispute must have begun: 90 days at most where it is said, 18 months back at most.

    Raises:
        Refusal: it is longer, begins too early, or ends before it begins.
    """
    now = access.seller_of(request).market.clock()
    since = searches.instant(request, "open_date_from")
    before = searches.instant(request, "open_date_to")
    if since is None and before is None:
        return now - searches.FURTHEST, now
    since = since or (before or now) - LONGEST
    before = before or since + LONGEST
    if since < now - searches.FURTHEST or not timedelta() <= before - since <= LONGEST:
        raise searches.bad("open_date_from", "")
    return since, before


def _links(request: web.Request, limit: int, offset: int, total: int) -> dict[str, str]:
    links = {}
    if offset + limit < total:
        links["next"] = str(request.url.update_query(limit=limit, offset=offset + limit))
    if offset:
        links["prev"] = str(request.url.update_query(limit=limit, offset=max(offset - limit, 0)))
    return links


def _refusal(status: int, number: int, message: str) -> Refusal:
    return Refusal(status, number, message, domain=DOMAIN)
