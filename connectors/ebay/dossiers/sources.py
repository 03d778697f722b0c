"""Where each kind of dossier is read: its search, its detail, and which module understands it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic.alias_generators import to_camel

from connectors.ebay.dossiers import cancellations, cases, disputes, inquiries, payload, returns
from core.errors import BadPayload
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.ebay.access import Scheme
    from connectors.ebay.dossiers.dossier import Dossier, Doubts
    from connectors.ebay.dossiers.payload import Found, Payload, Steps
    from connectors.ebay.options import Host

POST_ORDER, FULFILLMENT = "/post-order/v2", "/sell/fulfillment/v1"

Understands = Callable[[Any, Any, "Steps | None", "Doubts"], "Dossier"]


@dataclass(frozen=True, slots=True)
class Source:
    """One kind.

    *members* are the summaries of a page; *listed* is where they are listed, where that is not the
    search below *path*. *id_*, *opened* and *buyer* name what a summary has instead of those words.
    *window* are the parameters of the search's two dates; *narrow* restricts it to open ones where
    eBay documents a filter that means all of these. *is_dateless*: the date to answer by stands in
    the search alone. *short* asks for the summary of one, where a detail may come without it.
    """

    stream: str
    prefix: str
    kind: ThreadKind
    path: str
    page: type[Found]
    detail: type[Payload]
    id_: str
    opened: Callable[[Any], Any]
    buyer: str
    is_over: Callable[[Any], bool]
    understand: Understands
    operations: tuple[str, str]
    members: str = "members"
    listed: str | None = None
    window: tuple[str, str] = ("creation_date_range_from", "creation_date_range_to")
    fixed: Mapping[str, str] = field(default_factory=dict)
    narrow: Mapping[str, str] | None = None
    host: Host = "api"
    scheme: Scheme = "iaf"
    steps: str | None = None
    is_dateless: bool = False
    short: Mapping[str, str] | None = None

    @property
    def search(self) -> str:
        """The path of the search."""
        return self.listed or f"{self.path}/search"

    @property
    def names(self) -> tuple[str, ...]:
        """The fields by which what is set aside is known."""
        return (to_camel(self.id_),)

    def one(self, id_: str) -> str:
        """The path of one dossier."""
        return f"{self.path}/{quote(id_, safe='')}"

    def thread(self, id_: str) -> str:
        """The id of its thread."""
        return f"{self.prefix}:{id_}"

    def summaries(self, page: Found) -> Sequence[Any]:
        """Those of a page.

        Raises:
            BadPayload: the page has none, and does not say that there are none.
        """
        found: Sequence[Any] | None = getattr(page, self.members)
        if found is None and not page.counts_nothing:
            raise BadPayload(f"{self.operations[0]}: the page lists nothing", detail="misshapen")
        return found or ()

    def id_of(self, summary: Any) -> str:
        """The id of a dossier in a page of the search."""
        found: str = getattr(summary, self.id_)
        return found


INQUIRIES = Source(
    stream="inquiries",
    prefix="inquiry",
    kind=ThreadKind.INQUIRY,
    path=f"{POST_ORDER}/inquiry",
    page=payload.Inquiries,
    detail=payload.InquiryDetail,
    id_="inquiry_id",
    opened=lambda one: one.creation_date,
    buyer="buyer",
    is_over=inquiries.is_over,
    understand=inquiries.dossier,
    operations=("searchInquiries", "getInquiry"),
    window=("inquiry_creation_date_range_from", "inquiry_creation_date_range_to"),
    narrow={"inquiry_status": "OPEN"},
    is_dateless=True,
)
RETURNS = Source(
    stream="returns",
    prefix="return",
    kind=ThreadKind.RETURN,
    path=f"{POST_ORDER}/return",
    page=payload.Returns,
    detail=payload.ReturnDetail,
    id_="return_id",
    opened=lambda one: one.creation_info.creation_date,
    buyer="buyer_login_name",
    is_over=returns.is_over,
    understand=returns.dossier,
    operations=("searchReturns", "getReturn"),
    fixed={"role": "SELLER"},
    narrow={"return_state": "ALL_OPEN"},
    short={"fieldgroups": "SUMMARY"},
)
CANCELLATIONS = Source(
    stream="cancellations",
    prefix="cancellation",
    kind=ThreadKind.CANCELLATION,
    path=f"{POST_ORDER}/cancellation",
    page=payload.Cancellations,
    members="cancellations",
    detail=payload.CancellationDetail,
    id_="cancel_id",
    opened=lambda one: one.cancel_request_date,
    buyer="buyer_login_name",
    is_over=cancellations.is_over,
    understand=cancellations.dossier,
    operations=("searchCancellations", "getCancellation"),
    fixed={"role": "SELLER"},
)
CASES = Source(
    stream="cases",
    prefix="case",
    kind=ThreadKind.CLAIM,
    path=f"{POST_ORDER}/casemanagement",
    page=payload.Cases,
    detail=payload.CaseDetail,
    id_="case_id",
    opened=lambda one: one.creation_date,
    buyer="buyer",
    is_over=cases.is_over,
    understand=cases.dossier,
    operations=("searchCases", "getCase"),
    window=("case_creation_date_range_from", "case_creation_date_range_to"),
    is_dateless=True,
)
DISPUTES = Source(
    stream="disputes",
    prefix="dispute",
    kind=ThreadKind.DISPUTE,
    path=f"{FULFILLMENT}/payment_dispute",
    listed=f"{FULFILLMENT}/payment_dispute_summary",
    page=payload.Disputes,
    members="payment_dispute_summaries",
    detail=payload.DisputeDetail,
    id_="payment_dispute_id",
    opened=lambda one: one.open_date,
    buyer="buyer_username",
    is_over=disputes.is_over,
    understand=disputes.dossier,
    operations=("getPaymentDisputeSummaries", "getPaymentDispute"),
    window=("open_date_from", "open_date_to"),
    host="apiz",
    scheme="bearer",
    steps="getActivities",
)

SOURCES: Mapping[str, Source] = {
    one.stream: one for one in (INQUIRIES, RETURNS, CANCELLATIONS, CASES, DISPUTES)
}
"""By stream."""

OPERATIONS = (
    *(name for one in SOURCES.values() for name in one.operations),
    "getActivities",
    "sendInquiryMessage",
    "sendReturnMessage",
)
"""The words that name the calls of dossiers in metrics: eBay's own."""


def source_of(thread: str) -> tuple[Source, str] | None:
    """What *thread* is read from, and the dossier's own id; None for any other thread."""
    prefix, _, id_ = thread.partition(":")
    found = next((one for one in SOURCES.values() if one.prefix == prefix), None)
    return (found, id_) if found and id_ else None
