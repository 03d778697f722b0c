"""One store: orders, disputes, webhook subscriptions, the app's tokens with their scopes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from random import Random

DIGITS = "0123456789abcdef"
ORDERS, ALL_ORDERS = "read_orders", "read_all_orders"
DISPUTES = "read_shopify_payments_disputes"
SCOPES = frozenset({ORDERS, ALL_ORDERS, DISPUTES})
SHOWN = timedelta(days=60)
FIRST_NUMBER = 1001


@dataclass(slots=True)
class Habits:
    """What differs from one store to the next, or happens now and then.

    *hides_customers*: the app is not approved for customers' data; *answered_by*: another version
    answers than is asked for; *points* of the bucket and *restores* a second; *repeats*: each item
    of a list comes twice; *pushes_twice*: so does each delivery.
    """

    hides_customers: bool = False
    answered_by: str = ""
    points: float = 2000.0
    restores: float = 100.0
    repeats: bool = False
    pushes_twice: bool = False


@dataclass(slots=True)
class Order:
    """An order; *note* is anybody's, *called* how its buyer knows it."""

    id: int
    number: int
    called: str
    name: str
    email: str | None
    phone: str | None
    note: str | None
    source: str
    created_at: datetime
    changed_at: datetime
    locale: str | None = None

    @property
    def gid(self) -> str:
        return f"gid://shopify/Order/{self.id}"


@dataclass(slots=True)
class Dispute:
    """An inquiry or a chargeback at Shopify Payments."""

    id: int
    order: Order
    type: str
    reason: str
    status: str
    initiated_at: datetime
    due_by: date | None
    sent_on: date | None = None
    finalized_on: date | None = None

    @property
    def gid(self) -> str:
        return f"gid://shopify/ShopifyPaymentsDispute/{self.id}"


@dataclass(slots=True)
class Hook:
    """A subscription; *failures* in a row remove it."""

    id: int
    topic: str
    uri: str
    fields: tuple[str, ...] = ()
    failures: int = 0

    @property
    def gid(self) -> str:
        return f"gid://shopify/WebhookSubscription/{self.id}"


@dataclass(slots=True)
class Shop:
    """A store; *tell* is called with each topic and what it is about."""

    name: str
    now: Callable[[], datetime]
    random: Random
    client_id: str
    client_secret: str
    tell: Callable[[Shop, str, Any], None] = lambda _shop, _topic, _what: None
    habits: Habits = field(default_factory=Habits)
    scopes: frozenset[str] = SCOPES
    tokens: dict[str, frozenset[str]] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    disputes: dict[int, Dispute] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)
    granted: int = 0
    _spent: float = 0.0
    _spent_at: datetime | None = None
    _id: int = 5_000_000_000_000

    @property
    def domain(self) -> str:
        return f"{self.name}.myshopify.com"

    def add_token(self, *scopes: str) -> str:
        """An access token for what the app may do, or for these scopes alone."""
        token = "shpat_" + "".join(self.random.choices(DIGITS, k=32))
        self.tokens[token] = frozenset(scopes) or self.scopes
        return token

    def grant(self) -> str:
        """A token for a day, for the app's own credentials; the ones before it end."""
        self.granted += 1
        self.tokens = {one: of for one, of in self.tokens.items() if not one.startswith("shpua_")}
        token = f"shpua_{self.granted}_" + "".join(self.random.choices(DIGITS, k=24))
        self.tokens[token] = self.scopes
        return token

    def begin_at(self, number: int) -> None:
        """Let ids go on behind *number*."""
        self._id += number

    def buys(
        self,
        note: str | None = None,
        *,
        email: str | None = "ada@buyers.example",
        name: str = "Ada Sample",
        phone: str | None = "+441234567890",
        source: str = "web",
        called: str | None = None,
        at: datetime | None = None,
        locale: str | None = None,
    ) -> Order:
        """Somebody buys, and may remark something; told as made, and as changed at once."""
        at = at or self.now()
        number = FIRST_NUMBER + len(self.orders)
        called = called or f"#{number}"
        made = Order(self._next(), number, called, name, email, phone, note, source, at, at, locale)
        self.orders[made.id] = made
        self.tell(self, "orders/create", made)
        self.tell(self, "orders/updated", made)
        return made

    def changes(self, order: int, *, at: datetime | None = None, **what: Any) -> Order:
        """Something of an order changes: its note, by whomever, or nothing that is seen."""
        found = self.orders[order]
        for name, value in what.items():
            setattr(found, name, value)
        found.changed_at = max(found.changed_at, at or self.now())
        self.tell(self, "orders/updated", found)
        return found

    def disputed(
        self,
        order: int,
        *,
        due_by: date | None = None,
        type: str = "CHARGEBACK",  # noqa: A002  # Shopify's word
        reason: str = "PRODUCT_NOT_RECEIVED",
        at: datetime | None = None,
    ) -> Dispute:
        """Somebody's bank wants the money back, or asks."""
        at = at or self.now()
        about = self.orders[order]
        made = Dispute(self._next(), about, type, reason, "NEEDS_RESPONSE", at, due_by)
        self.disputes[made.id] = made
        self.tell(self, "disputes/create", made)
        return made

    def becomes(self, dispute: int, status: str, **what: Any) -> Dispute:
        """A dispute goes on."""
        found = self.disputes[dispute]
        found.status = status
        for name, value in what.items():
            setattr(found, name, value)
        self.tell(self, "disputes/update", found)
        return found

    def redacts(self, order: int) -> dict[str, Any]:
        """The customer of an order is to be forgotten."""
        found = self.orders[order]
        told = {
            "shop_id": 954889,
            "shop_domain": self.domain,
            "customer": {"id": 191167, "email": found.email, "phone": found.phone},
            "orders_to_redact": [found.id],
        }
        self.tell(self, "customers/redact", told)
        return told

    def forget(self, order: int) -> None:
        """The order is removed."""
        del self.orders[order]

    def subscribe(self, topic: str, uri: str, fields: tuple[str, ...] = ()) -> Hook:
        """A subscription."""
        made = Hook(self._next(), topic, uri, fields)
        self.hooks[made.id] = made
        return made

    def affords(self, points: float) -> bool:
        """Whether the bucket holds *points* for what may be answered at most."""
        now = self.now()
        if self._spent_at is not None:
            back = (now - self._spent_at).total_seconds() * self.habits.restores
            self._spent = max(0.0, self._spent - back)
        self._spent_at = now
        return self._spent + points <= self.habits.points

    def spends(self, points: float) -> None:
        """What an answer really cost."""
        self._spent += points

    @property
    def left(self) -> float:
        """What is left of the bucket."""
        return self.habits.points - self._spent

    def _next(self) -> int:
        self._id += 1
        return self._id


def stamp(at: datetime) -> str:
    """An instant as the Admin API writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
