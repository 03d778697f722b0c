"""Searching a seller's dossiers: windows of time, filters (some have no effect), pages.

What an unknown parameter says is ignored, as eBay does: a misspelt filter filters nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from connectors.ebay.sandbox import (
    access,
    cancellations,
    cases,
    inquiries,
    returns,
)
from connectors.ebay.sandbox.access import Refusal
from connectors.ebay.sandbox.cancellations import Cancellation
from connectors.ebay.sandbox.cases import Case
from connectors.ebay.sandbox.dossiers import Dossier
from connectors.ebay.sandbox.inquiries import Inquiry
from connectors.ebay.sandbox.returns import Return

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aiohttp import web

D = TypeVar("D", bound=Dossier)

DOMAIN = "postOrderErrorDomain"
BAD_REQUEST, UNKNOWN, CLOSED = 1600, 1601, 1602
"""Error ids of ours: the documented list of Post-Order's own was not to be had."""

FURTHEST = timedelta(days=548)
"""18 months: how far back a window may begin."""

HALF_OPEN = timedelta(days=90)
"""How long a window is of which only one end is given."""

LIMIT, MOST = 25, 200


@dataclass(frozen=True, slots=True)
class Search(Generic[D]):
    """How one kind is searched. *filters* are those that have an effect.

    *total* is what the count is called: it counts everything found, or (*counts_page*, as seen in
    the wild) only what is on this page. *items* is what the page is called.
    """

    kind: type[D]
    summary: Callable[[D], dict[str, Any]]
    total: str
    window: tuple[str, str]
    filters: Mapping[str, Callable[[D, str], bool]]
    items: str = "members"
    counts_page: bool = False


def is_inquiry_status(one: Inquiry, wanted: str) -> bool:
    """OPEN is every one that goes on."""
    return one.is_open if wanted == "OPEN" else one.status == wanted


def is_return_state(one: Return, wanted: str) -> bool:
    """ALL_OPEN and ALL_OPEN_RETURN are every one that goes on."""
    if wanted.startswith("ALL_OPEN"):
        return one.is_open
    if wanted == "SELLER_ACTION_DUE":
        return one.act is not None
    return wanted in (one.state, one.status) or (wanted == "CLOSED" and not one.is_open)


def is_case_status(one: Case, wanted: str) -> bool:
    """Only what it is called."""
    return one.status == wanted


INQUIRIES = Search(
    Inquiry,
    inquiries.summary,
    "totalNumberOfInquiries",
    ("inquiry_creation_date_range_from", "inquiry_creation_date_range_to"),
    {
        "inquiry_status": is_inquiry_status,
        "item_id": lambda one, wanted: one.order.item == wanted,
        "transaction_id": lambda one, wanted: one.order.transaction == wanted,
        "order_id": lambda one, wanted: one.order.id == wanted,
    },
)
RETURNS = Search(
    Return,
    returns.summary,
    "total",
    ("creation_date_range_from", "creation_date_range_to"),
    {
        "return_state": is_return_state,
        "states": lambda one, wanted: one.state in wanted.split(","),
        "item_id": lambda one, wanted: one.order.item == wanted,
        "transaction_id": lambda one, wanted: one.order.transaction == wanted,
        "order_id": lambda one, wanted: one.order.id == wanted,
        "return_id": lambda one, wanted: one.id == wanted,
    },
    counts_page=True,
)
CANCELLATIONS = Search(
    Cancellation,
    cancellations.summary,
    "total",
    ("creation_date_range_from", "creation_date_range_to"),
    {
        "cancel_id": lambda one, wanted: one.id == wanted,
        "legacy_order_id": lambda one, wanted: one.order.id == wanted,
        "item_id": lambda one, wanted: one.order.item == wanted,
        "transaction_id": lambda one, wanted: one.order.transaction == wanted,
        "buyer_login_name": lambda one, wanted: wanted.casefold() in one.buyer.known_as,
        "seller_login_name": lambda one, wanted: wanted.casefold() in one.seller.member.known_as,
    },
    items="cancellations",
)
CASES = Search(
    Case,
    cases.summary,
    "totalNumberOfCases",
    ("case_creation_date_range_from", "case_creation_date_range_to"),
    {
        "case_status_filter": is_case_status,
        "order_id": lambda one, wanted: one.order.id == wanted,
        "return_id": lambda one, wanted: one.origin is not None and one.origin.id == wanted,
    },
)
"""`item_id` and `transaction_id` are accepted, and have no effect."""


def found(search: Search[D], request: web.Request) -> dict[str, Any]:
    """One page of what *request* searches, or what a slip makes of it (status 200 all the same).

    Raises:
        Refusal: 400, a parameter is none.
    """
    desk = access.seller_of(request).desk
    if desk.slips_now(search.kind.KIND, "error_inside"):
        return error(Refusal(500, BAD_REQUEST, "Internal error", domain=DOMAIN))
    dossiers = desk.of(search.kind)
    since, before = _window(search, request)
    fit = [one for one in dossiers if since <= one.opened_at <= before]
    for name, fits in search.filters.items():
        wanted = request.query.getall(name, [])
        fit = [one for one in fit if not wanted or any(fits(one, each) for each in wanted)]
    if desk.slips_now(search.kind.KIND, "empty"):
        fit = []
    return _page(search, request, fit)


def error(refusal: Refusal) -> dict[str, Any]:
    """An error as Post-Order wraps it."""
    told = {
        "errorId": refusal.number,
        "domain": DOMAIN,
        "severity": "ERROR",
        "category": "REQUEST" if refusal.status < 500 else "APPLICATION",
        "message": str(refusal),
        "longMessage": str(refusal),
        "parameter": [{"name": k, "value": v} for k, v in refusal.parameters.items()],
        "httpStatusCode": str(refusal.status),
    }
    return {"errorMessage": {"error": [told]}}


def whole(request: web.Request, name: str, default: int, least: int, most: int | None) -> int:
    """A whole number of the query.

    Raises:
        Refusal: 400, it is none, or out of bounds.
    """
    text = request.query.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() else -1
    if number < least or (most is not None and number > most):
        raise bad(name, text)
    return number


def instant(request: web.Request, name: str) -> datetime | None:
    """An instant of the query, None where it is not given.

    Raises:
        Refusal: 400, it is none; a date without a zone is none either.
    """
    text = request.query.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise bad(name, text) from None
    if at.tzinfo is None:
        raise bad(name, text)
    return at.astimezone(UTC)


def bad(name: str, text: str) -> Refusal:
    """A parameter is wrong."""
    return Refusal(
        400, BAD_REQUEST, f"Invalid {name}", domain=DOMAIN, parameters={"name": name, "value": text}
    )


def _window(search: Search[D], request: web.Request) -> tuple[datetime, datetime]:
    """When a dossier must have begun. One end alone makes a window of 90 days.

    Raises:
        Refusal: 400, it begins too early, or ends before it begins.
    """
    now = access.seller_of(request).market.clock()
    since, before = (instant(request, name) for name in search.window)
    if since is None and before is None:
        return now - FURTHEST, now
    since = since or (before or now) - HALF_OPEN
    before = before or since + HALF_OPEN
    if since < now - FURTHEST or before < since:
        raise bad(search.window[0], f"{since:%Y-%m-%d}")
    return since, before


def _page(search: Search[D], request: web.Request, fit: Iterable[D]) -> dict[str, Any]:
    limit = whole(request, "limit", LIMIT, 1, MOST)
    offset = whole(request, "offset", 0, 0, None)
    every = list(fit)
    page = [search.summary(one) for one in every[offset : offset + limit]]
    if access.seller_of(request).desk.slips_now(search.kind.KIND, "hollow"):
        page = []
    return {
        search.items: page,
        search.total: len(page) if search.counts_page else len(every),
        "paginationOutput": {
            "offset": offset,
            "limit": limit,
            "totalEntries": len(every),
            "totalPages": -(-len(every) // limit),
        },
    }
