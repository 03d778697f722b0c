"""Operators, their shops and keys, orders and incidents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from connectors.mirakl.sandbox.inbox import (
    CUSTOMER,
    OPERATOR,
    SHOP,
    Habits,
    Participant,
    Thread,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime
    from random import Random

SHIPPED = "SHIPPED"
INCIDENT_OPEN = "INCIDENT_OPEN"
INCIDENT_CLOSED = "INCIDENT_CLOSED"


@dataclass(frozen=True, slots=True)
class Customer:
    """A buyer as the operator knows him."""

    id: str
    name: str
    locale: str = "en_US"


@dataclass(slots=True)
class Line:
    """An order line; an incident is a state of it, nothing more."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    state: str = SHIPPED
    reason_code: str | None = None


@dataclass(slots=True)
class Order:
    """An order of one shop. *channel* is where the operator sold it (a country's site)."""

    id: str
    shop: Shop
    customer: Customer
    lines: list[Line]
    created_at: datetime
    updated_at: datetime
    channel: str = "INIT"

    def has_incident(self) -> bool:
        """Whether a line has an incident that is open."""
        return any(line.state == INCIDENT_OPEN for line in self.lines)

    def open_incident(
        self, *, line: int = 1, reason_code: str = "14", at: datetime | None = None
    ) -> Line:
        """The buyer (or the operator) opens an incident on a line, counted from 1."""
        return self._move(self.lines[line - 1], INCIDENT_OPEN, reason_code, at)

    def close_incident(
        self, *, line: int = 1, reason_code: str = "8", at: datetime | None = None
    ) -> Line:
        """The incident of a line ends, by the operator or by the shop's own call."""
        return self._move(self.lines[line - 1], INCIDENT_CLOSED, reason_code, at)

    def _move(self, line: Line, state: str, reason_code: str, at: datetime | None) -> Line:
        at = at or self.shop.now()
        line.state, line.reason_code, line.updated_at = state, reason_code, at
        self.updated_at = max(self.updated_at, at)
        return line


@dataclass(slots=True)
class Shop:
    """A seller's shop at one operator. *key* opens it; *published* is A01's mean and its day."""

    id: int
    name: str
    operator: Operator
    key: str
    published: tuple[date, int | None] | None = None

    def now(self) -> datetime:
        """The marketplace's own time."""
        return self.operator.clock()

    def participant(self) -> Participant:
        """The shop as it stands in threads."""
        return Participant(SHOP, str(self.id), self.name)

    def add_order(
        self,
        order_id: str | None = None,
        *,
        customer: Customer | None = None,
        lines: int = 1,
        at: datetime | None = None,
        channel: str = "INIT",
    ) -> Order:
        """A new order, shipped; its id and customer are invented where not given."""
        at = at or self.now()
        order_id = order_id or f"{self.operator.random.randrange(10**8, 10**9)}-A"
        customer = customer or Customer(f"C-{order_id}", "Ada Sample")
        made = [
            Line(f"{order_id}-{place}", f"Sample article {place}", at, at)
            for place in range(1, lines + 1)
        ]
        order = Order(order_id, self, customer, made, at, at, channel)
        self.operator.orders[order_id] = order
        return order

    def open_thread(
        self,
        body: str | None = None,
        *,
        order: Order | None = None,
        entity: tuple[str, str] | None = None,
        topic: tuple[str, str] = ("FREE_TEXT", "Question"),
        at: datetime | None = None,
        thread_id: str | None = None,
    ) -> Thread:
        """A thread about an *order* (a new one where none is given) or another *entity*.

        The buyer writes *body*, or nobody where it is None. A ``SELLER_OPERATOR`` entity is a
        thread with the operator alone; a *topic* is (type, value).
        """
        at = at or self.now()
        alone = entity is not None and entity[0] == "SELLER_OPERATOR"
        order = order or (self.add_order(at=at) if entity is None else None)
        customer = order.customer if order else Customer("C-1", "Ada Sample")
        people = [self.participant()]
        if not alone:
            people.append(Participant(CUSTOMER, customer.id, customer.name))
        people.append(Participant(OPERATOR, None, f"{self.operator.name} customer care"))
        entities = (entity or ("MMP_ORDER", order.id if order else ""),)
        thread = Thread(
            thread_id or self.operator.new_id(),
            self,
            entities,
            topic,
            at,
            at,
            people,
            _new_id=self.operator.new_id,
        )
        self.operator.threads[thread.id] = thread
        if body is not None and not alone:
            thread.buyer_writes(body, at=at)
        elif body is not None:
            thread.operator_writes(body, at=at, to=(SHOP,))
        return thread


@dataclass(frozen=True, slots=True)
class Key:
    """An API key: the shops it opens, and the one that it means when no shop is named."""

    shops: frozenset[int]
    default: int


@dataclass(slots=True)
class Operator:
    """One Mirakl instance: its own keys, shops, threads and orders."""

    name: str
    clock: Callable[[], datetime]
    random: Random
    habits: Habits = field(default_factory=Habits)
    shops: dict[int, Shop] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    secret: bytes = b""

    def __post_init__(self) -> None:
        self.secret = self.random.randbytes(32)

    def new_id(self) -> str:
        """A UUID that is the same in every run of the same seed."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def add_shop(self, shop_id: int | None = None, name: str = "") -> Shop:
        """A shop with a key of its own."""
        number = shop_id if shop_id is not None else max([1999, *self.shops]) + 1
        shop = Shop(number, name or f"Example shop {number}", self, key=self.new_id())
        self.shops[number] = shop
        self.add_key((number,), shop.key)
        return shop

    def add_key(
        self, shops: Iterable[int], key: str | None = None, *, default: int | None = None
    ) -> str:
        """A key of a user who works for several shops; the *default* is the first of them."""
        numbers = tuple(shops)
        key = key or self.new_id()
        self.keys[key] = Key(frozenset(numbers), default if default is not None else numbers[0])
        return key

    def revoke(self, key: str) -> None:
        """The key dies: every call with it gets 401."""
        self.keys.pop(key, None)

    def forget(self, thread_id: str) -> None:
        """The thread and its orders are no longer shown; unknown ones are no fault."""
        thread = self.threads.pop(thread_id, None)
        for _, entity in thread.entities if thread else ():
            self.orders.pop(entity, None)
