"""BigCommerce's messages to our words. Pure: what its fields mean for a clock stands here.

All messages about one order are one thread. Who wrote stands in ``staff_id`` alone: ``type`` and
``customer_id`` say about whom it is, and ``status`` whether somebody has read it, which answers
nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.webstore import contacts
from core.model import MAX_LINE, Message, Page, Thread
from core.payload import instant
from core.transport import answers, salvage
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.webstore.bigcommerce.payload import Address, Entry, Order
    from core.model import SetAside

KIND = "bigcommerce"
BUYER = frozenset({Party.BUYER})


@dataclass(frozen=True, slots=True)
class Read:
    """An order with all messages about it."""

    order: Order
    entries: tuple[Entry, ...]


@dataclass(slots=True)
class _Doubts:
    """What was read but means something that is not documented: counted, never dropped."""

    found: list[SetAside] = field(default_factory=list)

    def add(self, reason: str, entry: Entry, order: str) -> None:
        self.found.append(salvage.set_aside(entry.id, reason, entry.model_dump(), within=order))


def page(read: Iterable[Read], now: datetime) -> Page:
    """These orders as a page without a cursor; one without a message is no thread."""
    doubts, messages, threads = _Doubts(), dict[str, Message](), dict[str, Thread]()
    for one in read:
        if one.entries:
            threads[one.order.id] = _thread(one, now)
        for entry in one.entries:
            messages[entry.id] = _message(entry, one.order, doubts)
    return Page(
        messages=tuple(messages.values()),
        threads=tuple(threads.values()),
        set_aside=tuple(doubts.found),
    )


def at(text: str | None) -> datetime | None:
    """An instant as RFC 2822 writes it (``Tue, 20 Nov 2018 00:00:00 +0000``), or ISO 8601."""
    return instant(text) or answers.http_date(text or "")


def _message(entry: Entry, order: Order, doubts: _Doubts) -> Message:
    is_ours = _is_staff(entry, order.id, doubts)
    sent_at = at(entry.date_created)
    if sent_at is None:
        doubts.add("date_created: no date", entry, order.id)
    return Message(
        id=entry.id,
        thread=order.id,
        party=Party.SELLER if is_ours else Party.BUYER,
        kind=Kind.MESSAGE,
        to=BUYER if is_ours else frozenset(),
        delivery=Delivery.CONFIRMED if is_ours else None,
        sent_at=sent_at,
        language=None if is_ours else order.customer_locale,
        subject=(entry.subject or "")[:MAX_LINE] or None,
        body=entry.message or "",
        order_id=order.id,
    )


def _is_staff(entry: Entry, order: str, doubts: _Doubts) -> bool:
    """Whether somebody of the store wrote it; who cannot be told from a customer waits as one."""
    told = entry.staff_id
    if told is None or str(told) == "0":
        return False
    number = str(told) if type(told) in {int, str} else ""
    if not (number.isascii() and number.isdigit()):
        doubts.add("staff_id: unknown", entry, order)
        return False
    return True


def _thread(read: Read, now: datetime) -> Thread:
    address = read.order.billing_address
    subjects = (entry.subject for entry in sorted(read.entries, key=lambda one: int(one.id)))
    return Thread(
        id=read.order.id,
        kind=ThreadKind.MESSAGE,
        subject=next((one[:MAX_LINE] for one in subjects if one), None),
        buyer=_buyer(address),
        order_ids=(read.order.id,),
        as_of=now,
        reply_to=_reply_to(address),
    )


def _buyer(address: Address | None) -> str:
    if address is None:
        return ""
    name = " ".join(part for part in (address.first_name, address.last_name) if part)
    return (name or address.email or "")[:MAX_LINE]


def _reply_to(address: Address | None) -> dict[str, str]:
    """What answering needs, and by what the buyer is known elsewhere."""
    found = {"kind": KIND}
    if address is not None and (mail := contacts.mail(address.email)):
        found["mail"] = mail
    if address is not None and (phone := contacts.phone(address.phone)):
        found["phone"] = phone
    return found
