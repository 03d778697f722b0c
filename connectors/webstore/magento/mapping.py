"""Magento's orders and their histories to our words. Pure: what its fields mean stands here.

An order on which its buyer remarked something (``customer_note``) is a thread. A comment of which
the customer was notified was mailed (`OrderService::addComment`, `OrderCommentSender`), and answers
it, unless Magento wrote it by itself: no field says so, its own sentences and the seconds after
the order do. Other comments are among the staff; entries without one are changes of the status.
What is unknown is open: it ends nothing, and is counted as set aside so that a person looks at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore.orders import SEARCHED
from connectors.webstore.remarks import placed, text
from connectors.webstore.remarks.placed import Placed, Turn
from core.model import Message, Page, Thread
from core.payload import instant
from core.transport import salvage
from sla.clock import Kind
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.webstore.magento.payload import Comment, Order
    from core.model import SetAside

KIND = "magento"
BUYER = frozenset({Party.BUYER})
AT_ONCE = timedelta(seconds=5)
"""So soon after the order no person has written anything."""
OWN_WORDS = re.compile(
    r"\s*(?:You notified customer|Notified customer|Customer was notified|IPN |Captured amount"
    r"|Authorized amount|Ordered amount|Registered notification|Registered a|We refunded|Refunded"
    r" amount|Order was placed|Order placed by|Canceled order|Approved the payment)",
    re.IGNORECASE,
)
"""How what Magento's own modules write begins (magento2: module-sales, -paypal, -payment)."""

NOT_APPLICABLE = frozenset({"None", "", "2"})
"""How Magento says that nobody was to be notified."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What differs from shop to shop.

    *automatic*: a pattern of comments that no person wrote; *staff_orders*: whether orders without
    the address of who placed them are read.
    """

    automatic: str | None = None
    staff_orders: bool = True

    def are_own(self, comment: Comment, order: Order) -> bool:
        """Whether Magento, or a module of the shop, wrote *comment* by itself."""
        said = (comment.comment or "")[:SEARCHED]
        if OWN_WORDS.match(said) or (self.automatic and re.search(self.automatic, said)):
            return True
        ordered, written = at(order.created_at), at(comment.created_at)
        return ordered is not None and written is not None and written < ordered + AT_ONCE


@dataclass(slots=True)
class _Doubts:
    """What was read but means something that is not documented: counted, never dropped."""

    found: list[SetAside] = field(default_factory=list)

    def add(self, reason: str, item: Comment | Order, order: str) -> None:
        made = salvage.set_aside(item.entity_id, reason, item.model_dump(), within=order)
        self.found.append(made)


def page(orders: Iterable[Order], habits: Habits, now: datetime) -> Page:
    """These orders as a page without a cursor; one without a remark is no thread."""
    doubts, messages, threads = _Doubts(), dict[str, Message](), dict[str, Thread]()
    for one in orders:
        if not is_asked(one, habits):
            continue
        order = of(one)
        threads[order.id] = placed.thread(order, now)
        if order.placed_at is None:
            doubts.add("created_at: no date", one, order.id)
        messages[placed.remark_id(order.id)] = placed.remark(order)
        for comment in one.status_histories or ():
            if (comment.comment or "").strip():
                turn = _turn(comment, one, habits, doubts)
                messages[comment.entity_id] = _message(comment, turn, order, doubts)
    return Page(
        messages=tuple(messages.values()),
        threads=tuple(threads.values()),
        set_aside=tuple(doubts.found),
    )


def is_asked(order: Order, habits: Habits) -> bool:
    """Whether its buyer remarked something.

    An order that the staff made names no address of who placed it (`QuoteManagement::placeOrder`
    alone sets it), and neither does any order of a shop that keeps no addresses.
    """
    placed_by_buyer = habits.staff_orders or bool((order.remote_ip or "").strip())
    return placed_by_buyer and bool((order.customer_note or "").strip())


def waits(order: Order, habits: Habits) -> bool:
    """Whether no person has written to its buyer yet."""
    comments = order.status_histories or ()
    return is_asked(order, habits) and not any(_is_answer(one, order, habits) for one in comments)


def at(told: str | None) -> datetime | None:
    """An instant as Magento writes it: UTC, with a space and without a zone."""
    return instant((told or "").replace(" ", "T", 1))


def of(order: Order) -> Placed:
    """What its buyer, and who looks for it, knows of an order."""
    who = order.billing_address
    names = (who.firstname, who.lastname) if who else ()
    return Placed(
        kind=KIND,
        id=order.entity_id,
        number=order.increment_id or order.entity_id,
        remark=text.plain(order.customer_note or ""),
        placed_at=at(order.created_at),
        changed_at=at(order.updated_at),
        name=" ".join(part for part in names if part),
        mail=order.customer_email or (who.email if who else None),
        phone=who.telephone if who else None,
    )


def _message(comment: Comment, turn: Turn, order: Placed, doubts: _Doubts) -> Message:
    sent_at = at(comment.created_at)
    if sent_at is None:
        doubts.add("created_at: no date", comment, order.id)
    return placed.note(order, comment.entity_id, turn, comment.comment or "", sent_at)


def _turn(comment: Comment, order: Order, habits: Habits, doubts: _Doubts) -> Turn:
    """What is said to whom; what cannot be told from a comment for the staff is one."""
    told = _told_customer(comment)
    if told is None and str(comment.is_customer_notified) not in NOT_APPLICABLE:
        doubts.add("is_customer_notified: unknown", comment, order.entity_id)
    if not told:
        return Kind.INTERNAL, frozenset()
    return Kind.MESSAGE if _is_answer(comment, order, habits) else Kind.AUTOMATIC, BUYER


def _is_answer(comment: Comment, order: Order, habits: Habits) -> bool:
    is_said = bool((comment.comment or "").strip())
    return is_said and _told_customer(comment) is True and not habits.are_own(comment, order)


def _told_customer(comment: Comment) -> bool | None:
    """Whether the customer was notified; None where nobody says."""
    told = comment.is_customer_notified
    return {"1": True, "0": False, "True": True, "False": False}.get(str(told))
