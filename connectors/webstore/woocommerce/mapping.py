"""WooCommerce's orders and notes to our words. Pure: what its fields mean for a clock stands here.

An order on which its buyer remarked something is a thread. A note that the customer got answers it,
if a person wrote it: what plugins and the shop itself write is said to be of ``system`` or
``WooCommerce`` (class-wc-rest-order-notes-controller.php and `WC_Order::add_order_note`, read
2026-11-23). Other notes are among the staff; those that the shop makes for itself (a payment, a
change of the status) are left out. What is unknown is open: it ends nothing, and is
counted as set aside so that a person looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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

    from connectors.webstore.woocommerce.payload import Billing, Note, Order
    from core.model import SetAside

KIND = "woocommerce"
BUYER = frozenset({Party.BUYER})
ROBOTS = frozenset({"system", "woocommerce"})
"""The authors of notes that no person wrote, in small letters."""
DRAFTS = frozenset({"checkout-draft", "auto-draft", "draft", "new"})
"""States of an order that nobody has placed yet: the block checkout makes one while one types."""


@dataclass(frozen=True, slots=True)
class Read:
    """An order with the notes about it."""

    order: Order
    notes: tuple[Note, ...] = ()


@dataclass(slots=True)
class _Doubts:
    """What was read but means something that is not documented: counted, never dropped."""

    found: list[SetAside] = field(default_factory=list)

    def add(self, reason: str, item: Note | Order, order: str) -> None:
        self.found.append(salvage.set_aside(item.id, reason, item.model_dump(), within=order))


def page(read: Iterable[Read], base_url: str, now: datetime) -> Page:
    """These orders as a page without a cursor; one without a remark is no thread."""
    doubts, messages, threads = _Doubts(), dict[str, Message](), dict[str, Thread]()
    for one in read:
        order = of(one.order, base_url)
        if not is_asked(one.order):
            continue
        threads[order.id] = placed.thread(order, now)
        if order.placed_at is None:
            doubts.add("date_created_gmt: no date", one.order, order.id)
        messages[placed.remark_id(order.id)] = placed.remark(order)
        for note in one.notes:
            if (made := _message(note, order, doubts)) is not None:
                messages[made.id] = made
    return Page(
        messages=tuple(messages.values()),
        threads=tuple(threads.values()),
        set_aside=tuple(doubts.found),
    )


def is_asked(order: Order) -> bool:
    """Whether somebody placed it and remarked something."""
    return order.status not in DRAFTS and bool((order.customer_note or "").strip())


def waits(read: Read) -> bool:
    """Whether no person has written to the buyer of an order yet."""
    return is_asked(read.order) and not any(_is_answer(note) for note in read.notes)


def of(order: Order, base_url: str) -> Placed:
    """What its buyer, and who looks for it, knows of an order.

    Dates without a zone are UTC here; those of the shop's own zone are not read.
    """
    who = order.billing
    return Placed(
        kind=KIND,
        id=order.id,
        number=order.number or order.id,
        remark=text.plain(order.customer_note or ""),
        placed_at=instant(order.date_created_gmt),
        changed_at=instant(order.date_modified_gmt),
        name=_name(who),
        mail=who.email if who else None,
        phone=who.phone if who else None,
        url=f"{base_url}/wp-admin/post.php?post={order.id}&action=edit",
    )


def _name(who: Billing | None) -> str:
    if who is None:
        return ""
    person = " ".join(part for part in (who.first_name, who.last_name) if part)
    return person or who.company or ""


def _message(note: Note, order: Placed, doubts: _Doubts) -> Message | None:
    """A note as a message; None where the shop notes something for itself."""
    turn = _turn(note, order.id, doubts)
    if turn is None:
        return None
    sent_at = instant(note.date_created_gmt)
    if sent_at is None:
        doubts.add("date_created_gmt: no date", note, order.id)
    return placed.note(order, note.id, turn, note.note or "", sent_at)


def _turn(note: Note, order: str, doubts: _Doubts) -> Turn | None:
    """What is said to whom; what cannot be told from an internal note is one."""
    if type(note.customer_note) is not bool:
        doubts.add("customer_note: unknown", note, order)
    if note.customer_note is True:
        return Kind.MESSAGE if _is_answer(note) else Kind.AUTOMATIC, BUYER
    return None if _is_robot(note) else (Kind.INTERNAL, frozenset())


def _is_answer(note: Note) -> bool:
    return note.customer_note is True and not _is_robot(note)


def _is_robot(note: Note) -> bool:
    """Whether no person is said to have written it."""
    return (note.author or "").strip().casefold() in {*ROBOTS, ""}
