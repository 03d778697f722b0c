"""One shop: orders, notes about them, letters to buyers, webhooks, API keys with their rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

HEX = "0123456789abcdef"
PARIS = ZoneInfo("Europe/Paris")
CREATED, UPDATED = "order.created", "order.updated"
NOTED = "action.woocommerce_new_customer_note"
SYSTEM = "WooCommerce"
READ, WRITE = "read", "read_write"
MANAGER, CLERK = "shop_manager", "customer"


@dataclass(slots=True)
class Habits:
    """What differs from one shop to the next.

    *permalinks*: false where they are plain; *hands_on*: whether the server hands on the header
    Authorization; *mails*: whether notes to customers are mailed; *names_system*: how the API
    calls the author of a note that no person wrote; *prefix*: before an order's number.
    """

    permalinks: bool = True
    hands_on: bool = True
    mails: bool = True
    names_system: str = "system"
    prefix: str = ""


@dataclass(slots=True)
class Note:
    """A note about an order: *author* is `SYSTEM` where no person wrote it."""

    id: int
    order: Order
    text: str
    at: datetime
    author: str
    to_customer: bool

    def told(self, shop: Shop) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "author": shop.habits.names_system if self.author == SYSTEM else self.author,
            **_dated("date_created", self.at),
            "note": self.text,
            "customer_note": self.to_customer,
        }


@dataclass(slots=True)
class Order:
    """An order and who placed it.

    *number* is one that a plugin gave it, *hidden* says that the API's user may not see it.
    """

    id: int
    name: str
    email: str
    phone: str
    remark: str
    placed_at: datetime
    changed_at: datetime
    status: str = "processing"
    number: str | None = None
    hidden: bool = False
    notes: list[Note] = field(default_factory=list)

    def told(self, shop: Shop) -> dict[str, Any]:
        """As the API shows it, in part."""
        first, _, last = self.name.partition(" ")
        return {
            "id": self.id,
            "parent_id": 0,
            "number": self.number or f"{shop.habits.prefix}{self.id}",
            "created_via": "checkout",
            "status": self.status,
            **_dated("date_created", self.placed_at),
            **_dated("date_modified", self.changed_at),
            "total": "29.90",
            "customer_id": 0,
            "customer_ip_address": "203.0.113.9",
            "customer_note": self.remark,
            "billing": {
                "first_name": first,
                "last_name": last,
                "company": "",
                "country": "FR",
                "email": self.email,
                "phone": self.phone,
            },
            "line_items": [{"id": 1, "name": "Kite", "quantity": 1}],
            "meta_data": [],
        }

    def is_waiting(self) -> bool:
        """Whether the buyer remarked something and no person has written to them."""
        answered = any(one.to_customer and one.author != SYSTEM for one in self.notes)
        return bool(self.remark) and not answered


@dataclass(frozen=True, slots=True)
class Letter:
    """A note as it was mailed."""

    recipient: str
    order: int
    text: str


@dataclass(slots=True)
class Hook:
    """A webhook for one topic; *failures* in a row."""

    id: int
    topic: str
    url: str
    secret: str
    status: str = "active"
    failures: int = 0

    def told(self) -> dict[str, Any]:
        """As the API shows it: without the secret."""
        return {
            "id": self.id,
            "name": f"Webhook {self.id}",
            "status": self.status,
            "topic": self.topic,
            "resource": self.topic.partition(".")[0],
            "event": self.topic.partition(".")[2],
            "delivery_url": self.url,
        }


@dataclass(frozen=True, slots=True)
class Key:
    """An API key: its *secret*, what it may, and which user it is of."""

    secret: str
    permission: str = WRITE
    role: str = MANAGER
    user: str = "Mia Agent"


@dataclass(slots=True)
class Shop:
    """A shop; *tell* is called with a topic and what is to be pushed about it."""

    name: str
    now: Callable[[], datetime]
    random: Random
    tell: Callable[[Shop, str, Any], None] = lambda _shop, _topic, _what: None
    habits: Habits = field(default_factory=Habits)
    keys: dict[str, Key] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    _number: int = 0

    def add_key(self, permission: str = WRITE, role: str = MANAGER) -> tuple[str, str]:
        """A key and its secret."""
        made = ["".join(self.random.choices(HEX, k=40)) for _ in range(2)]
        key, secret = f"ck_{made[0]}", f"cs_{made[1]}"
        self.keys[key] = Key(secret, permission, role)
        return key, secret

    def begin_at(self, number: int) -> None:
        """Let ids go on behind *number*."""
        self._number = number

    def add_order(
        self,
        remark: str = "",
        email: str = "ada@buyers.example",
        name: str = "Ada Sample",
        *,
        phone: str = "+33 1 23 45 67 89",
        status: str = "processing",
        number: str | None = None,
        at: datetime | None = None,
    ) -> Order:
        """Somebody buys, and remarks something or not."""
        at = at or self.now()
        made = Order(self._next(), name, email, phone, remark, at, at, status, number)
        self.orders[made.id] = made
        self.tell(self, CREATED, made)
        if status != "checkout-draft":
            self._note(made, "Payment complete.", at, SYSTEM, to_customer=False)
        return made

    def change(self, order: int, status: str, *, at: datetime | None = None) -> Order:
        """The order's state changes: the shop notes it, for the staff alone."""
        one, at = self.orders[order], at or self.now()
        said = f"Order status changed from {one.status} to {status}."
        one.status, one.changed_at = status, max(one.changed_at, at)
        self._note(one, said, at, SYSTEM, to_customer=False)
        self.tell(self, UPDATED, one)
        return one

    def note(
        self,
        order: int,
        text: str,
        *,
        author: str = "Mia Agent",
        to_customer: bool = True,
        at: datetime | None = None,
    ) -> Note:
        """Somebody, or a plugin, notes something; it does not change the order."""
        one = self.orders[order]
        made = self._note(one, text, at or self.now(), author, to_customer=to_customer)
        if to_customer:
            if self.habits.mails and one.email:
                self.letters.append(Letter(one.email, order, text))
            self.tell(self, NOTED, {"order_id": order, "customer_note": text})
        return made

    def forget(self, order: int) -> None:
        """The order is removed."""
        del self.orders[order]

    def add_hook(self, topic: str, url: str, secret: str) -> Hook:
        """A webhook."""
        made = Hook(self._next(), topic, url, secret)
        self.hooks[made.id] = made
        return made

    def _note(
        self, order: Order, text: str, at: datetime, author: str, *, to_customer: bool
    ) -> Note:
        made = Note(self._next(), order, text, at, author, to_customer)
        order.notes.append(made)
        return made

    def _next(self) -> int:
        self._number += 1
        return self._number


def _dated(name: str, at: datetime) -> dict[str, str]:
    """An instant twice, in the shop's own time and in UTC; neither names its zone."""
    local = at.astimezone(PARIS).replace(tzinfo=None, microsecond=0)
    utc = at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return {name: local.isoformat(), f"{name}_gmt": utc.isoformat()}
