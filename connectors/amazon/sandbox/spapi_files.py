"""Files that a seller brings, and reports that he takes, at addresses that are good for minutes."""

from __future__ import annotations

import base64
import gzip
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from connectors.amazon.sandbox import spapi_access
from connectors.amazon.sandbox.spapi_access import CLOCK, Refusal, answered
from connectors.amazon.sandbox.spapi_market import SELLINGS, Waited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from connectors.amazon.sandbox.spapi_market import Kept

WINDOWS = (7, 30, 90)
DAY = timedelta(days=1)
ENCRYPTED = {"x-amz-server-side-encryption": "aws:kms"}


async def destination(request: web.Request) -> web.Response:
    """A place for one file, known by the digest of what will be brought."""
    selling = spapi_access.selling_of(request)
    digest = request.query.get("contentMD5", "")
    if len(request.query.getall("marketplaceIds", [])) != 1 or not digest:
        raise Refusal(400, "InvalidInput", "marketplaceIds or contentMD5 is missing.")
    if not request.match_info["resource"].startswith("messaging/v1/orders/"):
        raise Refusal(400, "InvalidInput", "The resource is unknown.")
    name = selling.keep(request.app[CLOCK](), digest=digest)
    told = {
        "uploadDestinationId": name,
        "url": f"{selling.url}/files/{name}?X-Amz-Signature={selling.word()}",
        "headers": {"Content-MD5": digest, **ENCRYPTED},
    }
    return answered({"payload": told}, 201)


async def put(request: web.Request) -> web.Response:
    """A file is brought, with every header that was asked for."""
    kept = _kept(request)
    content = await request.read()
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    needed = {"Content-MD5": kept.digest, **ENCRYPTED}
    is_signed = all(request.headers.get(name) == value for name, value in needed.items())
    if digest != kept.digest or not is_signed:
        return web.Response(status=403, body=b"<Error>SignatureDoesNotMatch</Error>")
    kept.content = content
    return web.Response()


async def document(request: web.Request) -> web.Response:
    """Where a report lies for some minutes."""
    selling, now = spapi_access.selling_of(request), request.app[CLOCK]()
    number = request.match_info["name"].rpartition(".")[2]
    report = next((one for one in selling.reports if one.id == number), None)
    if report is None or report.status(now) != "DONE":
        raise Refusal(404, "NotFound", "The document was not found.")
    contacts = selling.contacts() if selling.contacts else ()
    content = gzip.compress(written(contacts, report.created_at))
    name = selling.keep(now, content)
    told = {
        "reportDocumentId": request.match_info["name"],
        "url": f"{selling.url}/files/{name}?X-Amz-Signature={selling.word()}",
        "compressionAlgorithm": "GZIP",
    }
    return answered(told)


async def get(request: web.Request) -> web.Response:
    """A report is taken: by its address alone, no token of the seller's belongs here."""
    kept = _kept(request)
    if "x-amz-access-token" in request.headers or kept.content is None:
        return web.Response(status=403, body=b"<Error>AccessDenied</Error>")
    return web.Response(body=kept.content, content_type="application/octet-stream")


def _kept(request: web.Request) -> Kept:
    name, now = request.match_info["name"], request.app[CLOCK]()
    found = [s.files[name] for s in request.app[SELLINGS] if name in s.files]
    if not found or now >= found[0].until or "X-Amz-Signature" not in request.query:
        raise web.HTTPForbidden
    return found[0]


def written(contacts: Iterable[Waited], at: datetime) -> bytes:
    """The customer metrics report of an instant."""
    known = list(contacts)
    windows = "".join(_window(known, at, days) for days in WINDOWS)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        "<sellerPerformanceReports><sellerPerformanceReport><performanceChecklist>"
        "<contactResponseTime><status>Good</status></contactResponseTime></performanceChecklist>"
        "<orderDefects><orderDefectMetrics><timeFrame/><orderWithDefects><count>1</count>"
        "<rate>0.50%</rate></orderWithDefects></orderDefectMetrics></orderDefects>"
        f"<buyerSellerContactResponseTimeMetrics>{windows}</buyerSellerContactResponseTimeMetrics>"
        "</sellerPerformanceReport></sellerPerformanceReports>"
    ).encode()


def _window(contacts: Iterable[Waited], at: datetime, days: int) -> str:
    begin = at - days * DAY
    asked = [one for one in contacts if begin <= one.asked_at < at and not one.is_marked]
    hours = list(_hours(asked, at))
    under, over = sum(one <= 24 for one in hours), sum(one > 24 for one in hours)
    unanswered = [one for one in asked if one.answered_at is None or one.answered_at > at]
    late = sum(at - one.asked_at > DAY for one in unanswered)
    mean = f"{sum(hours) / len(hours):.1f}" if hours else "0"
    return (
        f"<responseTimeMetrics><timeFrame><start>{begin:%Y-%m-%dT%H:%M:%SZ}</start>"
        f"<end>{at:%Y-%m-%dT%H:%M:%SZ}</end></timeFrame>"
        f"<responseUnder24Hours>{under}</responseUnder24Hours>"
        f"<responseTimeGreaterThan24Hours>{over}</responseTimeGreaterThan24Hours>"
        "<noResponseForContactsOlderThan24Hours>"
        f"{late}</noResponseForContactsOlderThan24Hours>"
        f"<averageResponseTimeInHours>{mean}</averageResponseTimeInHours></responseTimeMetrics>"
    )


def _hours(contacts: Iterable[Waited], at: datetime) -> Iterator[float]:
    for one in contacts:
        if one.answered_at is not None and one.answered_at <= at:
            yield (one.answered_at - one.asked_at) / timedelta(hours=1)
