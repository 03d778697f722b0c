"""What Post-Order and the payment disputes send, as far as it is read; extra fields are ignored.

Every enum is a string and every date whatever it is: Post-Order wraps dates (``{"value": ...}``,
trap 36), and ids are numbers in a search and strings in a detail.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core import payload
from core.payload import EXACT, Many


def _words(value: object) -> object:
    """The text that Post-Order wraps in ``content``."""
    return value.get("content") if isinstance(value, dict) else value


def _requests(value: object) -> object:
    """Whatever stands for evidence that is wanted: one that is no object asks all the same."""
    if value in (None, "", {}):
        return None
    every = value if isinstance(value, list) else [value]
    return [one if isinstance(one, dict) else {} for one in every]


def _word(value: object) -> object:
    """A word, and nothing where something else stands: it costs no neighbour."""
    return value if type(value) in {str, int} else None


Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00/]+$"), EXACT]
Word = Annotated[str | None, BeforeValidator(_word)]
Words = Annotated[str | None, BeforeValidator(_words)]


class Payload(payload.Payload):
    """What arrives; an id may be a number. Names are eBay's, written our way."""

    model_config = ConfigDict(
        coerce_numbers_to_str=True, alias_generator=to_camel, populate_by_name=True
    )


class Paging(Payload):
    """*total_entries* counts what was found, *limit* what comes at once."""

    limit: int | None = None
    total_entries: int | None = None


class Found(Payload):
    """What a search found: its page is left out only where it counts nothing."""

    pagination_output: Paging | None = None
    total: int | None = None
    total_number_of_inquiries: int | None = None
    total_number_of_cases: int | None = None

    @property
    def counts_nothing(self) -> bool:
        """Whether it says that there is nothing."""
        return 0 in self.counts

    @property
    def counts(self) -> tuple[int | None, ...]:
        """How many it says there are, in each of its words."""
        paging = self.pagination_output
        return (
            paging.total_entries if paging else None,
            self.total,
            self.total_number_of_inquiries,
            self.total_number_of_cases,
        )


class Entry(Payload):
    """A line of the history of an inquiry or a case; its *action* is a phrase, not an enum."""

    action: Word = None
    actor: Word = None
    date: Any = None
    description: Words = None


class History(Payload):
    history: Many[Entry] = None


class Sold(Payload):
    """What it is about."""

    item_id: Word = None
    transaction_id: Word = None


class Item(Sold):
    item_title: Word = None


class Claim(Sold):
    """What a search says of an inquiry and of a case alike."""

    buyer: Word = None
    seller: Word = None
    creation_date: Any = None
    last_modified_date: Any = None
    respond_by_date: Any = None


class ClaimDates(Payload):
    creation_date: Any = None
    refund_deadline_date: Any = None


class ClaimDetail(Sold):
    """What one inquiry and one case tell alike."""

    status: Word = None
    buyer: Word = None
    initiator: Word = None


class Inquiry(Claim):
    """An inquiry of a search."""

    inquiry_id: Id
    inquiry_status_enum: Word = None


class InquiryDates(ClaimDates):
    escalation_date: Any = None


class InquiryDetail(ClaimDetail):
    """One inquiry; *seller_make_it_right_by_date* stands in for the search's `respondByDate`."""

    inquiry_id: Id
    state: Word = None
    creation_reason: Word = None
    inquiry_closure_date: Any = None
    seller_make_it_right_by_date: Any = None
    inquiry_details: InquiryDates = InquiryDates()
    inquiry_history_details: History | None = None
    item_details: Item = Item()


class Inquiries(Found):
    """A page of the search."""

    members: Many[Inquiry] = None


class Due(Payload):
    """What somebody has to do, until when."""

    activity_due: Word = None
    respond_by_date: Any = None


class Creation(Payload):
    creation_date: Any = None
    reason: Word = None
    comments: Words = None
    item: Item = Item()


class Escalation(Payload):
    case_id: Word = None


class Return(Payload):
    """A return of a search, and the summary in its detail."""

    return_id: Id
    state: Word = None
    status: Word = None
    order_id: Word = None
    buyer_login_name: Word = None
    seller_login_name: Word = None
    creation_info: Creation = Creation()
    seller_response_due: Due | None = None
    escalation_info: Escalation = Escalation()


class Response(Payload):
    """A line of a return's history."""

    activity: Word = None
    author: Word = None
    creation_date: Any = None
    notes: Words = None
    from_state: Word = None
    to_state: Word = None


class CloseInfo(Payload):
    return_close_date: Any = None
    return_close_reason: Word = None


class ReturnParts(Payload):
    close_info: CloseInfo | None = None
    response_history: Many[Response] = None


class ReturnDetail(Payload):
    """One return; the documentation says of one part that it comes without the other."""

    summary: Return | None = None
    detail: ReturnParts | None = None


class Returns(Found):
    """A page of the search."""

    members: Many[Return] = None


class Activity(Payload):
    """A line of a cancellation's history."""

    activity_type: Word = None
    activity_party: Word = None
    action_date: Any = None


class Cancellation(Payload):
    """A cancellation of a search; its detail has *activity_histories* beside."""

    cancel_id: Id
    cancel_state: Word = None
    cancel_status: Word = None
    cancel_reason: Word = None
    cancel_close_reason: Word = None
    requestor_type: Word = None
    legacy_order_id: Word = None
    buyer_login_name: Word = None
    cancel_request_date: Any = None
    cancel_close_date: Any = None
    seller_response_due_date: Any = None
    activity_histories: Many[Activity] = None


class CancellationDetail(Payload):
    """One cancellation."""

    cancel_detail: Cancellation


class Cancellations(Found):
    """A page of the search."""

    cancellations: Many[Cancellation] = None


class Case(Claim):
    """A case of a search."""

    case_id: Id
    case_status_enum: Word = None


class CaseDetail(ClaimDetail):
    """One case; it tells days to go and no date: that is the search's `respondByDate`."""

    case_id: Id
    case_type: Word = None
    return_id: Word = None
    creation_date: Any = None
    case_details: ClaimDates = ClaimDates()
    case_history_details: History | None = None


class Cases(Found):
    """A page of the search."""

    members: Many[Case] = None


class Dispute(Payload):
    """A payment dispute of a list; its dates are plain strings."""

    payment_dispute_id: Id
    payment_dispute_status: Word = None
    order_id: Word = None
    buyer_username: Word = None
    reason: Word = None
    open_date: Any = None
    closed_date: Any = None
    respond_by_date: Any = None


class EvidenceRequest(Payload):
    request_date: Any = None
    respond_by_date: Any = None


class FromBuyer(Payload):
    note: Words = None


class DisputeDetail(Dispute):
    """One payment dispute."""

    buyer_provided: FromBuyer = FromBuyer()
    evidence_requests: Annotated[Many[EvidenceRequest], BeforeValidator(_requests)] = None
    seller_response: Word = None


class Step(Payload):
    """A line of a dispute's history."""

    activity_type: Word = None
    actor: Word = None
    activity_date: Any = None


class Steps(Payload):
    """What happened in a dispute."""

    activity: Many[Step] = None


class Disputes(Found):
    """A page of the list."""

    payment_dispute_summaries: Many[Dispute] = None
    limit: int | None = None
