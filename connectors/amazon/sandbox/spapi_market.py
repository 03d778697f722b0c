"""What a seller has at SP-API: keys, orders, what may be said about each, reports."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

RATES = {
    "getOrder": (0.5, 30),
    "getMessagingActionsForOrder": (1, 5),
    "GetAttributes": (1, 5),
    "sendMessage": (1, 5),
    "createUploadDestination": (10, 10),
    "getReports": (0.0222, 10),
    "createReport": (0.0167, 15),
    "getReportDocument": (0.0167, 15),
    "getMarketplaceParticipations": (0.016, 15),
}
"""Calls a second and at once, of each seller and application."""

ACTIONS = (
    "confirmCustomizationDetails", "confirmDeliveryDetails", "confirmOrderDetails",
    "confirmServiceDetails", "digitalAccessKey", "invoice", "legalDisclosure",
    "unexpectedProblem", "warranty",
)  # fmt: skip
LASTS = timedelta(seconds=3600)
"""So long a token is good."""


class Line(NamedTuple):
    asin: str
    sku: str
    title: str
    quantity: int = 1


@dataclass(slots=True)
class Bought:
    """An order as Amazon has it; *allows* are the messages that may be sent about it now."""

    id: str
    marketplace: str
    at: datetime
    lines: tuple[Line, ...] = (Line("B0EXAMPLE1", "SKU-1", "Steel bottle 750 ml"),)
    status: str = "SHIPPED"
    fulfilled_by: str = "MERCHANT"
    parcel: str | None = "IN_TRANSIT"
    is_cancel_asked: bool = False
    total: tuple[str, str] = ("19.90", "EUR")
    allows: tuple[str, ...] = ACTIONS
    locale: str = "de-DE"
    buyer: str = "Ada Sample"


class Said(NamedTuple):
    """A typed message that was taken."""

    at: datetime
    order: str
    action: str
    body: dict[str, Any]
    files: tuple[bytes, ...]


@dataclass(slots=True)
class Report:
    id: str
    created_at: datetime
    made_at: datetime | None
    failed: str | None = None

    def status(self, now: datetime) -> str:
        """The word of its state at *now*."""
        if self.made_at is None or now < self.made_at:
            return "IN_PROGRESS" if now > self.created_at + timedelta(seconds=5) else "IN_QUEUE"
        return self.failed or "DONE"


@dataclass(slots=True)
class Kept:
    """A file that Amazon holds: where a seller brings one, or takes a report from."""

    until: datetime
    digest: str = ""
    content: bytes | None = None


class Waited(NamedTuple):
    """A buyer who waited since *asked_at*, until he was answered."""

    asked_at: datetime
    answered_at: datetime | None
    is_marked: bool = False


@dataclass(slots=True)
class Selling:
    """A seller who lets one application in. *url* is the server's.

    *find* knows orders beside *orders*; *contacts* are what the report is made of. *tells_rate*:
    answers name the rate. *makes_reports*: the account has this report at all; *report_takes*: so
    long to make one, for ever where None; *report_fails*: what becomes of it then. *roles* that are
    taken away bar their calls.
    """

    url: str
    region: str
    marketplaces: tuple[str, ...]
    random: Random = field(repr=False)
    orders: dict[str, Bought] = field(default_factory=dict)
    find: Callable[[str], Bought | None] | None = None
    contacts: Callable[[], Iterable[Waited]] | None = None
    rates: dict[str, tuple[float, float]] = field(default_factory=lambda: dict(RATES))
    tells_rate: bool = True
    barred: set[str] = field(default_factory=set)
    makes_reports: bool = True
    report_takes: timedelta | None = timedelta(minutes=10)
    report_fails: str | None = None
    said: list[Said] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    files: dict[str, Kept] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=dict)
    buckets: dict[str, tuple[float, datetime]] = field(default_factory=dict)
    seller_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""

    def __post_init__(self) -> None:
        self.seller_id = f"A{self.random.getrandbits(48):012X}"
        self.client_id = f"amzn1.application-oa2-client.{self.word()}"
        self.client_secret = f"amzn1.oa2-cs.v1.{self.word()}"
        self.refresh_token = f"Atzr|{self.word()}"

    def word(self) -> str:
        """Something that nobody guesses."""
        return hashlib.sha256(self.random.randbytes(32)).hexdigest()[:32]

    def options(self) -> dict[str, Any]:
        """What an account of the settings says as its `sp_api`."""
        return {
            "seller_id": self.seller_id,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
            "base_url": f"{self.url}/{self.region}",
            "token_url": f"{self.url}/auth/o2/token",
        }

    def bought(self, order: Bought) -> Bought:
        """An order comes to this seller."""
        self.orders[order.id] = order
        return order

    def order(self, id_: str) -> Bought | None:
        """The order of that number, where it is this seller's."""
        return self.orders.get(id_) or (self.find(id_) if self.find else None)

    def end_tokens(self) -> None:
        """Every token that was given out is good no more."""
        self.tokens.clear()

    def renew_secret(self) -> None:
        """A new client secret is made: the one before dies."""
        self.client_secret = f"amzn1.oa2-cs.v1.{self.word()}"

    def revoke(self) -> None:
        """The seller takes his consent back."""
        self.refresh_token = f"Atzr|{self.word()}"
        self.tokens.clear()

    def keep(self, now: datetime, content: bytes | None = None, digest: str = "") -> str:
        """Hold a file, or a place for one, for some minutes; its name."""
        name = self.word()
        lasts = timedelta(minutes=5 if content is not None else 15)
        self.files[name] = Kept(now + lasts, digest, content)
        return name


SELLINGS: web.AppKey[list[Selling]] = web.AppKey("sellings", list)
