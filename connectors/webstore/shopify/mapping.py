"""Shopify's orders to our words. Pure: what its fields mean for a clock stands here.

The field ``note`` has no author. At checkout it is the buyer's remark; later the staff and other
apps write into the same field, and the buyer cannot any more. So a note counts as the buyer's where
it stands on an order that is new, at the instant at which it was placed, and nowhere else: whoever
reads says which orders are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore import contacts
from connectors.webstore.remarks import placed
from connectors.webstore.remarks.placed import Placed
from core.model import Message, Page, Thread
from core.payload import instant
from core.transport import salvage
from core.transport.salvage import UNFIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from connectors.webstore.shopify.payload import Address, Bought, Order
    from core.model import SetAside

KIND = "shopify"
BY_STAFF = frozenset({"pos", "shopify_draft_order"})
"""Where somebody at the store types the order in, and its note with it.

``Order.sourceName``: of these values Shopify says that no other app may set them.
"""
YOUNG = timedelta(hours=1)
"""So long after it was placed a note that is told with a change is still the buyer's."""
DIGITS = re.compile(r"\d+", re.ASCII)
LONGEST_NAME = 100
ORDER, DISPUTE = "gid://shopify/Order/", "gid://shopify/ShopifyPaymentsDispute/"
CUSTOMER = "gid://shopify/Customer/"


@dataclass(slots=True)
class _Doubts:
    """What was read but cannot be right: counted, never dropped."""

    found: list[SetAside] = field(default_factory=list)

    def add(self, reason: str, order: Order) -> None:
        self.found.append(salvage.set_aside(order.id, reason, order.model_dump(mode="json")))


def page(
    orders: Iterable[Order],
    store: str,
    now: datetime,
    is_theirs: Callable[[Order], bool] = lambda _: True,
) -> Page:
    """Those of *orders* on which somebody remarked something, as a page without a cursor.

    Where a note may not be the buyer's (*is_theirs*), the thread alone is told: what the buyer
    wrote stays as it was read.
    """
    doubts, messages, threads = _Doubts(), dict[str, Message](), dict[str, Thread]()
    for order in orders:
        if not is_remarked(order):
            continue
        one = _placed(order, store)
        if one.placed_at is None:
            doubts.add("created_at: no date", order)
        threads[order.id] = _thread(one, order, now)
        if is_theirs(order):
            messages[placed.remark_id(order.id)] = placed.remark(one)
    return Page(
        messages=tuple(messages.values()),
        threads=tuple(threads.values()),
        set_aside=tuple(doubts.found),
    )


def is_remarked(order: Order) -> bool:
    """Whether *order* has a note that the staff did not write when typing it in."""
    return bool((order.note or "").strip()) and order.source_name not in BY_STAFF


def is_new(order: Order, since: datetime) -> bool:
    """Whether *order* was placed after *since*; one that does not say when may have been."""
    at = instant(order.created_at)
    return at is None or at >= since


def is_fresh(order: Order) -> bool:
    """Whether *order* did not change long after it was placed: then its note is the buyer's."""
    placed_at, changed_at = instant(order.created_at), instant(order.updated_at)
    return placed_at is None or changed_at is None or changed_at - placed_at <= YOUNG


def order_ids(order: Bought) -> tuple[str, ...]:
    """The numbers by which a buyer may call it: as it is named (``#1001``), and bare."""
    name = (order.name or "").strip().removeprefix("#")
    if not name or len(name) > LONGEST_NAME or UNFIT.search(name):
        return (order.id,)
    digits = DIGITS.findall(name)
    return tuple(dict.fromkeys((name, *(digits if len(digits) == 1 else ()))))


def reply_to(order: Bought) -> dict[str, str]:
    """What answering needs, by what the buyer is known elsewhere, and whom an erasure means."""
    found = {"kind": KIND, "order": f"{ORDER}{order.id}"}
    if mail := contacts.mail(order.email):
        found["mail"] = mail
    if phone := _phone(order):
        found["phone"] = phone
    return found


def buyer(order: Bought) -> str:
    """Who bought, as far as the app may know."""
    address = order.billing_address
    return (address.name if address else None) or order.email or ""


def _placed(order: Order, store: str) -> Placed:
    return Placed(
        kind=KIND,
        id=order.id,
        number=order_ids(order)[0],
        remark=order.note or "",
        placed_at=instant(order.created_at),
        changed_at=instant(order.updated_at),
        name=buyer(order),
        mail=order.email,
        phone=_phone(order),
        url=f"https://{store}/admin/orders/{order.id}",
        language=order.customer_locale,
    )


def _thread(one: Placed, order: Order, now: datetime) -> Thread:
    """With all its numbers, and the id by which Shopify asks to forget it."""
    told = {"order_ids": order_ids(order), "reply_to": reply_to(order)}
    return placed.thread(one, now).model_copy(update=told)


def _phone(order: Bought) -> str | None:
    address: Address | None = order.billing_address
    return contacts.phone(order.phone) or contacts.phone(address.phone if address else None)
