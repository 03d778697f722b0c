"""Disputes at Shopify Payments: a bank asks until a day for evidence. Pure.

Sources: shopify.dev/docs/api/admin-graphql/2026-10, object ``ShopifyPaymentsDispute`` and enum
``DisputeStatus`` (``CHARGE_REFUNDED`` is one of older days). ``evidenceDueBy`` is a day without a
time; what Shopify's own examples and webhooks write for it is midnight of UTC (shopify-api-ruby,
test/rest/2025_07/dispute_test.rb: ``2099-12-29T19:00:00-05:00``). So the deadline is the beginning
of that day: it may be some hours early, and is never late; the clock says that it is not certain.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from connectors.webstore.shopify import mapping
from core.model import MAX_LINE, Message, Page, Thread
from core.payload import instant
from core.transport import salvage
from sla.clock import REST, Given, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connectors.webstore.shopify.payload import Dispute
    from core.model import SetAside
    from sla.turn import Outcome

PREFIX = "dispute:"
ASKS, REVIEWED = "NEEDS_RESPONSE", "UNDER_REVIEW"
ACCEPTED, REFUNDED = "ACCEPTED", "CHARGE_REFUNDED"
OVER = frozenset({ACCEPTED, REFUNDED, "LOST", "PREVENTED", "WON"})
KNOWN = OVER | {ASKS, REVIEWED}
OURS = frozenset({ACCEPTED, REFUNDED})
"""What the seller did; the others are the bank's word."""
INQUIRY, CHARGEBACK = "ANSWER_INQUIRY", "CONTEST_CHARGEBACK"
"""What is asked; one that turns from the first into the second asks anew."""


def page(disputes: Iterable[Dispute], store: str, now: datetime) -> Page:
    """These disputes as a page without a cursor."""
    each = {one.id: one for one in disputes}.values()
    return Page(
        messages=tuple(message for one in each for message in _messages(one)),
        threads=tuple(_thread(one, store, now) for one in each),
        given=tuple((thread_id(one), given) for one in each for given in _readings(one, now)),
        set_aside=tuple(odd for one in each for odd in _odd(one)),
    )


def thread_id(one: Dispute) -> str:
    """Its thread: an order's has the bare number."""
    return f"{PREFIX}{one.id}"


def day(told: str | None) -> datetime | None:
    """The beginning of a day in UTC, an instant as it is; None where it is neither."""
    if (at := instant(told)) is not None:
        return at
    try:
        return datetime.combine(date.fromisoformat(told or ""), time(), UTC)
    except ValueError:
        return None


def _status(one: Dispute) -> str:
    return (one.status or "").upper()


def _is_asked(one: Dispute) -> bool:
    """Whether the seller has to do something: so does every status that is not documented."""
    if one.evidence_sent_on:
        return False
    return _status(one) not in OVER | {REVIEWED}


def _readings(one: Dispute, now: datetime) -> list[Given]:
    """What Shopify asks now and nothing else, or that it asks nothing any more, and since when."""
    if _is_asked(one):
        rest = _rest(now, now, None, "escalated")
        return [rest, _asking(one, now)] if _status(one) == ASKS else [_asking(one, now)]
    acted_at, over_at = _acted_at(one), _over_at(one)
    lapsed = _status(one) in OVER - OURS and acted_at is None
    outcome: Outcome | None = "withdrawn" if lapsed else None
    found = [_rest(over_at, now, acted_at, outcome)] if over_at and over_at < now else []
    return [*found, _rest(now, now, acted_at, outcome)]


def _asking(one: Dispute, now: datetime) -> Given:
    act = INQUIRY if (one.type or "").upper() == "INQUIRY" else CHARGEBACK
    return Given(
        kind=ThreadKind.DISPUTE.value,
        act=act,
        asks=True,
        as_of=now,
        read_at=now,
        due_at=day(one.evidence_due_by),
        starts_at=instant(one.initiated_at),
        uncertain=True,
    )


def _rest(at: datetime, now: datetime, acted_at: datetime | None, outcome: Outcome | None) -> Given:
    """That nothing is asked as of *at*, or nothing else; what ends without the seller has a name.

    An inquiry that has become a chargeback is asked no more.
    """
    return Given(
        kind=ThreadKind.DISPUTE.value,
        act=REST,
        asks=False,
        as_of=at,
        read_at=now,
        acted_at=acted_at,
        outcome=outcome,
    )


def _acted_at(one: Dispute) -> datetime | None:
    """When the seller did what was asked: on that day, and not before he was asked."""
    told = one.evidence_sent_on or (one.finalized_on if _status(one) in OURS else None)
    at, begun = day(told), instant(one.initiated_at)
    return max(at, begun) if at and begun else at


def _over_at(one: Dispute) -> datetime | None:
    at, begun = day(one.finalized_on), instant(one.initiated_at)
    if _status(one) not in OVER or at is None:
        return None
    return max(at, begun) if begun else at


def _thread(one: Dispute, store: str, now: datetime) -> Thread:
    order = one.order
    return Thread(
        id=thread_id(one),
        kind=ThreadKind.DISPUTE,
        subject=_subject(one)[:MAX_LINE],
        buyer=mapping.buyer(order)[:MAX_LINE] if order else "",
        order_ids=mapping.order_ids(order) if order else (),
        url=f"https://{store}/admin/orders/{order.id}" if order else None,
        as_of=now,
        closed_at=(_over_at(one) or now) if _status(one) in OVER else None,
        reply_to=mapping.reply_to(order) if order else {"kind": mapping.KIND},
    )


def _subject(one: Dispute) -> str:
    what = "Inquiry" if (one.type or "").upper() == "INQUIRY" else "Chargeback"
    reason = ((one.reason_details.reason if one.reason_details else None) or "").lower()
    return f"{what}: {reason.replace('_', ' ')}" if reason else what


def _messages(one: Dispute) -> Iterator[Message]:
    """That it began, and that nothing can be done any more: nobody writes a word in it."""
    order_id = mapping.order_ids(one.order)[0] if one.order else None
    yield Message(
        id=f"{thread_id(one)}:opened",
        thread=thread_id(one),
        party=Party.MARKETPLACE,
        kind=Kind.SYSTEM,
        sent_at=instant(one.initiated_at),
        body=_subject(one),
        order_id=order_id,
    )
    if _status(one) in OVER:
        yield Message(
            id=f"{thread_id(one)}:over",
            thread=thread_id(one),
            party=Party.MARKETPLACE,
            kind=Kind.UNANSWERABLE,
            sent_at=_over_at(one),
            order_id=order_id,
        )


def _odd(one: Dispute) -> Iterator[SetAside]:
    """What is not documented: it is open, and somebody looks at it."""
    content = one.model_dump(mode="json")
    if _status(one) not in KNOWN:
        yield salvage.set_aside(one.id, "status: unknown", content)
    if one.evidence_due_by and day(one.evidence_due_by) is None:
        yield salvage.set_aside(one.id, "evidenceDueBy: no date", content)
