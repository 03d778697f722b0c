"""The calls about orders, messages and reports, as Amazon documents them."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.amazon.sandbox import spapi_access
from connectors.amazon.sandbox.spapi_access import CLOCK, Refusal, answered
from connectors.amazon.sandbox.spapi_market import Report, Said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from connectors.amazon.sandbox.spapi_market import Bought, Selling

HAL = "application/hal+json"
REPORT = "GET_V1_SELLER_PERFORMANCE_REPORT"
DATASETS = {
    "BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT",
    "PACKAGES", "TAX", "PAYMENT", "FULFILLMENT_ORDERS",
}  # fmt: skip
TEXTS = {
    "confirmCustomizationDetails": 800, "confirmDeliveryDetails": 2000,
    "confirmOrderDetails": 2000, "confirmServiceDetails": 2000, "unexpectedProblem": 2000,
    "digitalAccessKey": 400,
}  # fmt: skip
FILES = {
    "confirmCustomizationDetails": (0, 5), "digitalAccessKey": (0, 5), "invoice": (1, 5),
    "warranty": (1, 5), "legalDisclosure": (0, 5),
}  # fmt: skip
ORDER_ID = re.compile(r"\d{3}-\d{7}-\d{7}")
UNWANTED = re.compile(r"<[a-z/!]|\S@\S+\.\S", re.IGNORECASE)


async def participations(request: web.Request) -> web.Response:
    """Where the seller sells."""
    selling = spapi_access.selling_of(request)
    found = [
        {"marketplace": {"id": one}, "participation": {"isParticipating": True}}
        for one in selling.marketplaces
    ]
    return answered({"payload": found})


async def order(request: web.Request) -> web.Response:
    """Orders 2026-01-01, getOrder: with a buyer only for whoever asks for one."""
    one = _order(request)
    asked = set(filter(None, request.query.get("includedData", "").split(",")))
    if asked - DATASETS:
        raise Refusal(400, "InvalidInput", "includedData holds an unknown value.")
    told: dict[str, Any] = {
        "orderId": one.id,
        "createdTime": one.at,
        "lastUpdatedTime": one.at + timedelta(days=1),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": one.marketplace},
        "orderItems": [_item(one, asked, number) for number in range(len(one.lines))],
    }
    if "BUYER" in asked:
        told["buyer"] = {"buyerName": one.buyer}
    if "RECIPIENT" in asked:
        told["recipient"] = {"deliveryAddress": {"name": one.buyer, "city": "Sampletown"}}
    if "PROCEEDS" in asked:
        amount, currency = one.total
        told["proceeds"] = {"grandTotal": {"amount": amount, "currencyCode": currency}}
    if "FULFILLMENT" in asked:
        told["fulfillment"] = _fulfillment(one)
    if "PACKAGES" in asked and one.fulfilled_by == "MERCHANT" and one.parcel:
        told["packages"] = [
            {
                "packageReferenceId": "1",
                "packageStatus": {"status": one.parcel},
                "shipTime": one.at + timedelta(days=1),
                "trackingNumber": "1Z999AA10123456784",
            }
        ]
    return answered({"order": told})


def _item(one: Bought, asked: set[str], number: int) -> dict[str, Any]:
    line = one.lines[number]
    item: dict[str, Any] = {
        "orderItemId": f"{number + 1:014}",
        "quantityOrdered": line.quantity,
        "product": {"asin": line.asin, "title": line.title, "sellerSku": line.sku},
    }
    if "CANCELLATION" in asked and one.is_cancel_asked:
        item["cancellation"] = {
            "cancellationRequest": {"requester": "BUYER", "cancelReason": "Changed my mind"}
        }
    if "FULFILLMENT" in asked:
        message = f"For you, {one.buyer}"
        item["fulfillment"] = {"packing": {"giftOption": {"giftMessage": message}}}
    return item


def _fulfillment(one: Bought) -> dict[str, Any]:
    def window(days: int) -> dict[str, Any]:
        begin = one.at + timedelta(days=days)
        return {"earliestDateTime": begin, "latestDateTime": begin + timedelta(days=1)}

    return {
        "fulfillmentStatus": one.status,
        "fulfilledBy": one.fulfilled_by,
        "shipByWindow": window(1),
        "deliverByWindow": window(4),
    }


async def actions(request: web.Request) -> web.Response:
    """What may be said about an order now."""
    one, place = _order(request), _place(request)
    base = f"/messaging/v1/orders/{one.id}"
    links = [
        {"href": f"{base}/messages/{name}?marketplaceIds={place}", "name": name}
        for name in one.allows
    ]
    own = {"href": f"{base}?marketplaceIds={place}"}
    embedded = [{"_links": {"self": link}, "payload": {"name": link["name"]}} for link in links]
    told = {"_links": {"self": own, "actions": links}, "_embedded": {"actions": embedded}}
    return answered(told, form=HAL)


async def attributes(request: web.Request) -> web.Response:
    """The language that the buyer prefers."""
    one = _order(request)
    _place(request)
    return answered({"buyer": {"locale": one.locale}}, form=HAL)


async def message(request: web.Request) -> web.Response:
    """A typed message: nothing of it can be read again."""
    one, selling = _order(request), spapi_access.selling_of(request)
    _place(request)
    action = request.match_info["action"]
    if action not in one.allows:
        raise Refusal(400, "InvalidInput", f"The action {action} is not available for this order.")
    body = await _body(request)
    _check_text(action, body.get("text"))
    files = _files(selling, action, body.get("attachments") or [])
    now = request.app[CLOCK]()
    selling.said.append(Said(now, one.id, action, body, files))
    return answered({}, 201, HAL)


def _check_text(action: str, text: Any) -> None:
    most = TEXTS.get(action, 0)
    if most and (not isinstance(text, str) or not 1 <= len(text) <= most):
        raise Refusal(400, "InvalidInput", f"text must have 1 to {most} characters.")
    if isinstance(text, str) and UNWANTED.search(text):
        raise Refusal(400, "InvalidInput", f"text holds what is not allowed: {text}")


def _files(selling: Selling, action: str, told: list[Mapping[str, str]]) -> tuple[bytes, ...]:
    least, most = FILES.get(action, (0, 0))
    kept = [selling.files.get(one.get("uploadDestinationId", "")) for one in told]
    found = tuple(one.content for one in kept if one is not None and one.content is not None)
    if not least <= len(told) <= most or len(found) != len(told):
        raise Refusal(400, "InvalidInput", "attachments are missing, too many or not uploaded.")
    return found


async def reports(request: web.Request) -> web.Response:
    """The reports that were asked for."""
    selling, now = spapi_access.selling_of(request), request.app[CLOCK]()
    if request.query.get("reportTypes") != REPORT:
        raise Refusal(400, "InvalidInput", "reportTypes is missing.")
    since = datetime.fromisoformat(request.query["createdSince"])
    found = [one for one in selling.reports if one.created_at >= since]
    return answered({"reports": [_report(one, now) for one in reversed(found)]})


def _report(one: Report, now: datetime) -> dict[str, Any]:
    told = {
        "reportId": one.id,
        "reportType": REPORT,
        "createdTime": one.created_at,
        "dataEndTime": one.created_at,
        "processingStatus": one.status(now),
    }
    if one.status(now) == "DONE":
        told["reportDocumentId"] = f"amzn1.spdoc.{one.id}"
    return told


async def wanted(request: web.Request) -> web.Response:
    """A report is asked for; where an account has none, that is no valid input."""
    selling, now = spapi_access.selling_of(request), request.app[CLOCK]()
    body = await _body(request)
    known = set(body.get("marketplaceIds") or []) <= set(selling.marketplaces)
    if body.get("reportType") != REPORT or not known or not selling.makes_reports:
        raise Refusal(400, "InvalidInput", "Report type is not supported.")
    takes = selling.report_takes
    made_at = None if takes is None else now + takes
    one = Report(str(50_000 + len(selling.reports)), now, made_at, selling.report_fails)
    selling.reports.append(one)
    return answered({"reportId": one.id}, 202)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Refusal(400, "InvalidInput", "The body is no JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "InvalidInput", "The body is no object.")
    return body


def _order(request: web.Request) -> Bought:
    number = request.match_info["order"]
    if not ORDER_ID.fullmatch(number) or number.endswith("-0000000"):
        raise Refusal(400, "InvalidInput", "The order id is malformed.")
    one = spapi_access.selling_of(request).order(number)
    if one is None:
        raise Refusal(404, "NotFound", "The order was not found.")
    return one


def _place(request: web.Request) -> str:
    """The one marketplace that is named: that of the order."""
    named = request.query.getall("marketplaceIds", [])
    if len(named) != 1 or "," in named[0]:
        raise Refusal(400, "InvalidInput", "Exactly one marketplaceId is to be named.")
    if named[0] != _order(request).marketplace:
        raise Refusal(400, "InvalidInput", "The order was placed in another marketplace.")
    return named[0]
