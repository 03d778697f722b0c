"""One store: orders, messages about them, webhooks, tokens with their scopes, a quota."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
CREATED = "store/order/message/created"
ORDERS, SETTINGS = "orders", "settings"
WINDOW = timedelta(seconds=30)


@dataclass(slots=True)
class Habits:
    """What differs from one store to the next, or is not documented.

    *touches*: a message changes its order; *quota*: calls in 30 seconds; *lags*: so many seconds
    after it is pushed a message shows in its list.
    """

    touches: bool = True
    quota: int = 150
    lags: int = 0


@dataclass(slots=True)
class Message:
    """A message about an order; *staff* is None where the customer wrote it."""

    id: int
    order: Order
    text: str
    at: datetime
    staff: int | None = None
    subject: str = ""
    status: str = "unread"

    def told(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "order_id": self.order.id,
            "staff_id": self.staff,
            "customer_id": self.order.customer,
            "type": "customer",
            "subject": self.subject,
            "message": self.text,
            "status": self.status,
            "is_flagged": False,
            "date_created": format_datetime(self.at.astimezone(UTC)),
            "customer": {"id": self.order.customer},
        }


@dataclass(slots=True)
class Order:
    """An order and who placed it."""

    id: int
    customer: int
    name: str
    email: str
    phone: str
    changed_at: datetime
    messages: list[Message] = field(default_factory=list)
    locale: str = "en"

    def told(self) -> dict[str, Any]:
        """As the API shows it, in part."""
        first, _, last = self.name.partition(" ")
        return {
            "id": self.id,
            "customer_id": self.customer,
            "date_modified": format_datetime(self.changed_at.astimezone(UTC)),
            "status": "Awaiting Fulfillment",
            "customer_locale": self.locale,
            "billing_address": {
                "first_name": first,
                "last_name": last,
                "email": self.email,
                "phone": self.phone,
            },
        }

    def is_waiting(self) -> bool:
        """Whether the customer wrote last."""
        return bool(self.messages) and self.messages[-1].staff is None


@dataclass(slots=True)
class Hook:
    """A webhook of the API account."""

    id: int
    scope: str
    destination: str
    is_active: bool = True

    def told(self, store: Store) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "client_id": "sandbox",
            "store_hash": store.hash,
            "scope": self.scope,
            "destination": self.destination,
            "is_active": self.is_active,
            "headers": None,
        }


@dataclass(slots=True)
class Store:
    """A store; *tell* is called with every message that is written."""

    hash: str
    now: Callable[[], datetime]
    random: Random
    client_secret: str
    tell: Callable[[Store, Message], None] = lambda _store, _message: None
    habits: Habits = field(default_factory=Habits)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)
    _number: int = 0
    _calls: list[datetime] = field(default_factory=list)

    def add_token(self, *scopes: str) -> str:
        """An access token for all, or for these scopes alone."""
        token = "".join(self.random.choices(DIGITS, k=31))
        self.tokens[token] = set(scopes or (ORDERS, SETTINGS))
        return token

    def begin_at(self, number: int) -> None:
        """Let ids go on behind *number*."""
        self._number = number

    def add_order(
        self,
        email: str = "ada@buyers.example",
        name: str = "Ada Sample",
        *,
        phone: str = "+441234567890",
        at: datetime | None = None,
    ) -> Order:
        """Somebody buys."""
        made = Order(
            self._next(), self.random.randrange(1, 10**6), name, email, phone, at or self.now()
        )
        self.orders[made.id] = made
        return made

    def customer_writes(
        self, order: int, text: str, *, subject: str = "", at: datetime | None = None
    ) -> Message:
        """The customer writes about the order."""
        return self._add(order, text, subject, at, None)

    def staff_writes(
        self, order: int, text: str, *, subject: str = "", at: datetime | None = None
    ) -> Message:
        """Somebody answers in the control panel."""
        return self._add(order, text, subject, at, 1)

    def mark_read(self, order: int) -> Order:
        """Somebody reads what the customer wrote."""
        for one in self.orders[order].messages:
            one.status = "read"
        return self.orders[order]

    def shown(self, order: Order) -> list[Message]:
        """The messages about *order* that its list shows by now."""
        since = self.now() - timedelta(seconds=self.habits.lags)
        return [one for one in order.messages if one.at <= since]

    def forget(self, order: int) -> None:
        """The order is removed."""
        del self.orders[order]

    def add_hook(self, scope: str, destination: str) -> Hook:
        """A webhook."""
        made = Hook(self._next(), scope, destination)
        self.hooks[made.id] = made
        return made

    def left(self) -> int:
        """How many calls the quota leaves, this one counted; -1: none was left for it."""
        now = self.now()
        self._calls = [at for at in self._calls if at > now - WINDOW]
        if len(self._calls) >= self.habits.quota:
            return -1
        self._calls.append(now)
        return self.habits.quota - len(self._calls)

    def _add(
        self, order: int, text: str, subject: str, at: datetime | None, staff: int | None
    ) -> Message:
        about, at = self.orders[order], at or self.now()
        made = Message(self._next(), about, text, at, staff, subject)
        about.messages.append(made)
        if self.habits.touches:
            about.changed_at = max(about.changed_at, at)
        self.tell(self, made)
        return made

    def _next(self) -> int:
        self._number += 1
        return self._number
