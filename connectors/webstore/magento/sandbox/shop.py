"""One shop: orders, their histories, letters to buyers, integrations with their resources."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
VIEW, COMMENT = "Magento_Sales::actions_view", "Magento_Sales::comment"


@dataclass(slots=True)
class Habits:
    """What differs from one version, or shop, to the next.

    *bearer*: whether tokens of integrations may be used alone; *repeats*: whether what lies behind
    the last page is that page again; *touches*: whether a comment changes its order; *strict*:
    whether a comment has to name the order's own status, else it sets it (none: to null).
    """

    bearer: bool = True
    repeats: bool = True
    touches: bool = False
    strict: bool = True


@dataclass(slots=True)
class Entry:
    """An entry of an order's history."""

    id: int
    text: str | None
    at: datetime
    notified: int | None
    visible: int = 0
    status: str | None = None

    def told(self, order: Order) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "comment": self.text,
            "created_at": _date(self.at),
            "entity_id": self.id,
            "entity_name": "order",
            "is_customer_notified": self.notified,
            "is_visible_on_front": self.visible,
            "parent_id": order.id,
            "status": self.status,
        }


@dataclass(slots=True)
class Order:
    """An order and who placed it; *ip* is None where somebody of the staff did."""

    id: int
    increment: str
    name: str
    email: str
    phone: str
    remark: str | None
    placed_at: datetime
    changed_at: datetime
    status: str | None = "processing"
    store: int = 1
    ip: str | None = "203.0.113.9"
    entries: list[Entry] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As the API shows it, in part."""
        first, _, last = self.name.partition(" ")
        told: dict[str, Any] = {
            "entity_id": self.id,
            "increment_id": self.increment,
            "store_id": self.store,
            "state": "processing",
            "created_at": _date(self.placed_at),
            "updated_at": _date(self.changed_at),
            "customer_email": self.email,
            "customer_firstname": first,
            "customer_lastname": last,
            "grand_total": 29.9,
            "billing_address": {
                "firstname": first,
                "lastname": last,
                "email": self.email,
                "telephone": self.phone,
                "country_id": "FR",
            },
            "items": [{"item_id": 1, "name": "Kite", "qty_ordered": 1}],
            "status_histories": [one.told(self) for one in reversed(self.entries)],
        }
        rest = {"customer_note": self.remark, "remote_ip": self.ip, "status": self.status}
        # Magento leaves out what is null.
        return told | {name: value for name, value in rest.items() if value is not None}

    def is_waiting(self) -> bool:
        """Whether the buyer remarked something and nobody has written to them."""
        written = any(one.notified == 1 and one.text for one in self.entries)
        return bool(self.remark) and not written


@dataclass(frozen=True, slots=True)
class Letter:
    """A comment as it was mailed."""

    recipient: str
    order: str
    text: str


@dataclass(slots=True)
class Shop:
    """A shop in a folder of this *name*; *tokens* are integrations' with their resources."""

    name: str
    now: Callable[[], datetime]
    random: Random
    habits: Habits = field(default_factory=Habits)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    _number: int = 0

    def add_token(self, *resources: str) -> str:
        """An access token for all that is needed, or for these resources alone."""
        token = "".join(self.random.choices(LETTERS, k=32))
        self.tokens[token] = set(resources or (VIEW, COMMENT))
        return token

    def begin_at(self, number: int) -> None:
        """Let ids go on behind *number*."""
        self._number = number

    def add_order(
        self,
        remark: str | None = None,
        email: str = "ada@buyers.example",
        name: str = "Ada Sample",
        *,
        phone: str = "+33 1 23 45 67 89",
        store: int = 1,
        by_staff: bool = False,
        increment: str | None = None,
        at: datetime | None = None,
    ) -> Order:
        """Somebody buys, or the staff does for them, and remarks something or not."""
        at, number = at or self.now(), self._next()
        told = increment or f"{store}{number:08d}"
        made = Order(number, told, name, email, phone, remark, at, at)
        made.store, made.ip = store, None if by_staff else "203.0.113.9"
        self.orders[made.id] = made
        self._enter(made, None, at, 1)
        return made

    def comment(  # what the form of the back office asks for
        self,
        order: int,
        text: str | None,
        *,
        notified: int | None = 1,
        visible: int = 1,
        status: str | None = "",
        at: datetime | None = None,
    ) -> Entry:
        """Somebody comments, or a module does; who is notified gets it by mail, without tags."""
        one, at = self.orders[order], at or self.now()
        one.status = one.status if status == "" else status
        if self.habits.touches:
            one.changed_at = max(one.changed_at, at)
        if notified == 1 and text:
            self.letters.append(Letter(one.email, one.increment, _untagged(text)))
        return self._enter(one, text, at, notified, visible)

    def change(self, order: int, status: str, *, at: datetime | None = None) -> Order:
        """The order's status changes, which is an entry without a comment."""
        one, at = self.orders[order], at or self.now()
        one.status, one.changed_at = status, max(one.changed_at, at)
        self._enter(one, None, at, 0)
        return one

    def forget(self, order: int) -> None:
        """The order is removed."""
        del self.orders[order]

    def _enter(
        self, order: Order, text: str | None, at: datetime, notified: int | None, visible: int = 0
    ) -> Entry:
        made = Entry(self._next(), text, at, notified, visible, order.status)
        order.entries.append(made)
        return made

    def _next(self) -> int:
        self._number += 1
        return self._number


def _date(at: datetime) -> str:
    """UTC with a space, and without a zone."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _untagged(text: str) -> str:
    """As PHP's `strip_tags` does it: a ``<`` before a space begins no tag."""
    return re.sub(r"<\S[^>]*(>|\Z)", "", text).strip()
