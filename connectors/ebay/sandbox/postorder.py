"""Post-Order v2 on ``api``: searches, details, messages and decisions about dossiers."""

from __future__ import annotations

import json
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from connectors.ebay.sandbox import access, cancellations, cases, inquiries, returns, searches
from connectors.ebay.sandbox.access import Refusal
from connectors.ebay.sandbox.cancellations import Cancellation
from connectors.ebay.sandbox.cases import Case
from connectors.ebay.sandbox.dossiers import Dossier, Impossible
from connectors.ebay.sandbox.inquiries import Inquiry
from connectors.ebay.sandbox.returns import DECISIONS, Return

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Route = Callable[[web.Request], Awaitable[Any]]

D = TypeVar("D", bound=Dossier)

BASE = "/post-order/v2"
LONGEST = 2000


def routes(host: str) -> list[web.RouteDef]:
    """All of Post-Order is on ``api``."""
    return [_route(*one) for one in ROUTES] if host == "api" else []


def _route(method: str, path: str, name: str, route: Route) -> web.RouteDef:
    return web.route(method, BASE + path, _answered(route), name=name)


def _answered(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """What *route* says as JSON, its refusals in Post-Order's own form; nothing is 200 alone."""

    @wraps(route)
    async def answer(request: web.Request) -> web.StreamResponse:
        if not request.headers.get("X-EBAY-C-MARKETPLACE-ID"):
            return _refused(searches.bad("X-EBAY-C-MARKETPLACE-ID", ""))
        try:
            content = await route(request)
        except Refusal as refusal:
            return _refused(refusal)
        except Impossible as wrong:
            return _refused(Refusal(400, searches.CLOSED, str(wrong), domain=searches.DOMAIN))
        return web.Response(status=200) if content is None else access.answered(content)

    return answer


def _refused(refusal: Refusal) -> web.Response:
    return access.answered(searches.error(refusal), refusal.status)


def _one(request: web.Request, kind: type[D]) -> D:
    """The dossier in the path.

    Raises:
        Refusal: 404, this seller has none of that kind and id.
    """
    found = access.seller_of(request).desk.one(kind, request.match_info["id"])
    if found is None:
        raise Refusal(404, searches.UNKNOWN, f"Invalid {kind.KIND} id", domain=searches.DOMAIN)
    return found


async def _said(request: web.Request) -> dict[str, Any]:
    """The JSON object of the body.

    Raises:
        Refusal: 400, it is none.
    """
    try:
        said = json.loads(await request.read())
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise searches.bad("body", "")
    return said


def _text(said: dict[str, Any], name: str) -> str | None:
    """What a text of the body says; Post-Order wraps it in ``content``.

    Raises:
        Refusal: 400, it is no such text, or too long.
    """
    wrapped = said.get(name)
    if wrapped is None:
        return None
    text = wrapped.get("content") if isinstance(wrapped, dict) else None
    if not isinstance(text, str) or not 0 < len(text.strip()) <= LONGEST:
        raise searches.bad(name, "")
    return text


async def _message(request: web.Request) -> str:
    text = _text(await _said(request), "message")
    if text is None:
        raise searches.bad("message", "")
    return text


async def search_inquiries(request: web.Request) -> dict[str, Any]:
    return searches.found(searches.INQUIRIES, request)


async def inquiry(request: web.Request) -> dict[str, Any]:
    return inquiries.detail(_one(request, Inquiry))


async def write_to_inquiry(request: web.Request) -> None:
    _one(request, Inquiry).seller_writes(await _message(request))


async def ship_inquiry(request: web.Request) -> None:
    said = await _said(request)
    _one(request, Inquiry).seller_ships(
        str(said.get("shippingCarrierName", "")), str(said.get("trackingNumber", ""))
    )


async def refund_inquiry(request: web.Request) -> dict[str, Any]:
    _one(request, Inquiry).seller_refunds(_text(await _said(request), "comments"))
    return {"refundResult": "SUCCESS"}


async def escalate_inquiry(request: web.Request) -> None:
    """The seller himself lets eBay step in."""
    said = await _said(request)
    one = _one(request, Inquiry)
    one.seller.desk.escalate(one.id, _text(said, "comments"), by="SELLER")


async def search_returns(request: web.Request) -> dict[str, Any]:
    return searches.found(searches.RETURNS, request)


async def one_return(request: web.Request) -> dict[str, Any]:
    """The whole of it; `fieldgroups=SUMMARY` leaves the detail out."""
    one = _one(request, Return)
    whole = returns.detail(one)
    if request.query.get("fieldgroups") == "SUMMARY":
        return {"summary": whole["summary"]}
    return whole


async def write_to_return(request: web.Request) -> None:
    _one(request, Return).seller_writes(await _message(request))


async def decide_return(request: web.Request) -> dict[str, Any]:
    said = await _said(request)
    if said.get("decision") not in DECISIONS:
        raise searches.bad("decision", str(said.get("decision")))
    _one(request, Return).seller_decides(said["decision"], _text(said, "comments"))
    return {"returnStatus": "SUCCESS"}


async def refund_return(request: web.Request) -> dict[str, Any]:
    _one(request, Return).seller_refunds(_text(await _said(request), "comments"))
    return {"refundStatus": "SUCCESS"}


async def search_cancellations(request: web.Request) -> dict[str, Any]:
    return searches.found(searches.CANCELLATIONS, request)


async def cancellation(request: web.Request) -> dict[str, Any]:
    """The whole of it; `fieldgroups=SUMMARY` leaves the history out."""
    whole = cancellations.detail(_one(request, Cancellation))
    if request.query.get("fieldgroups") == "SUMMARY":
        del whole["cancelDetail"]["activityHistories"]
    return whole


async def approve_cancellation(request: web.Request) -> None:
    await _said(request)
    _one(request, Cancellation).seller_approves()


async def reject_cancellation(request: web.Request) -> None:
    await _said(request)
    _one(request, Cancellation).seller_rejects()


async def search_cases(request: web.Request) -> dict[str, Any]:
    return searches.found(searches.CASES, request)


async def case(request: web.Request) -> dict[str, Any]:
    return cases.detail(_one(request, Case))


async def refund_case(request: web.Request) -> dict[str, Any]:
    _one(request, Case).seller_refunds(_text(await _said(request), "comments"))
    return {"refundResult": "SUCCESS"}


async def ship_case(request: web.Request) -> None:
    said = await _said(request)
    _one(request, Case).seller_ships(
        str(said.get("shippingCarrierName", "")), str(said.get("trackingNumber", ""))
    )


ROUTES: tuple[tuple[str, str, str, Route], ...] = (
    ("GET", "/inquiry/search", "searchInquiries", search_inquiries),
    ("GET", "/inquiry/{id}", "getInquiry", inquiry),
    ("POST", "/inquiry/{id}/send_message", "sendInquiryMessage", write_to_inquiry),
    ("POST", "/inquiry/{id}/provide_shipment_info", "provideInquiryShipmentInfo", ship_inquiry),
    ("POST", "/inquiry/{id}/issue_refund", "issueInquiryRefund", refund_inquiry),
    ("POST", "/inquiry/{id}/escalate", "escalateInquiry", escalate_inquiry),
    ("GET", "/return/search", "searchReturns", search_returns),
    ("GET", "/return/{id}", "getReturn", one_return),
    ("POST", "/return/{id}/send_message", "sendReturnMessage", write_to_return),
    ("POST", "/return/{id}/decide", "processReturnRequest", decide_return),
    ("POST", "/return/{id}/issue_refund", "issueReturnRefund", refund_return),
    ("GET", "/cancellation/search", "searchCancellations", search_cancellations),
    ("GET", "/cancellation/{id}", "getCancellation", cancellation),
    ("POST", "/cancellation/{id}/approve", "approveCancellationRequest", approve_cancellation),
    ("POST", "/cancellation/{id}/reject", "rejectCancellationRequest", reject_cancellation),
    ("GET", "/casemanagement/search", "searchCases", search_cases),
    ("GET", "/casemanagement/{id}", "getCase", case),
    ("POST", "/casemanagement/{id}/issue_refund", "issueCaseRefund", refund_case),
    ("POST", "/casemanagement/{id}/provide_shipment_info", "provideShipmentInfo", ship_case),
)
