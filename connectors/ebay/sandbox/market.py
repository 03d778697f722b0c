"""Members, sellers, the applications they consented to, and what was bought."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.ebay.sandbox.conversations import Mailbox
from connectors.ebay.sandbox.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from random import Random

    from connectors.ebay.sandbox.conversations import Conversation, Media, Message

Api = tuple[str, str]
"""An API as rate limits name it: context and name."""

TOKEN_LASTS = timedelta(seconds=7200)
CONSENT_LASTS = timedelta(seconds=47_304_000)
GRANTS_A_DAY = {"client_credentials": 1000, "authorization_code": 10_000, "refresh_token": 50_000}

SCOPE = "https://api.ebay.com/oauth/api_scope"
SCOPES = (
    SCOPE,
    f"{SCOPE}/commerce.message",
    f"{SCOPE}/commerce.notification.subscription",
    f"{SCOPE}/commerce.identity.readonly",
    f"{SCOPE}/sell.fulfillment",
    f"{SCOPE}/sell.payment.dispute",
    f"{SCOPE}/sell.inventory",
)
"""What a seller consents to unless a test says otherwise."""

CALLS_A_DAY: dict[Api, int] = {
    ("commerce", "message"): 50_000,
    ("commerce", "notification"): 10_000,
    ("commerce", "identity"): 5_000,
    ("commerce", "media"): 50_000,
    ("developer", "analytics"): 5_000,
    ("sell", "fulfillment"): 100_000,
    ("sell", "post-order"): 50_000,
    ("tradingapi", "TradingAPI"): 5_000,
}
RESET_AT = timedelta(hours=8)
"""Midnight in San José in winter: when a day of calls begins, after midnight of UTC."""


@dataclass(slots=True)
class Member:
    """Somebody with an account: by name, and by what never changes.

    *is_opaque*: the applications here are told the immutable id and never the name.
    """

    name: str
    user_id: str
    eias_token: str
    is_opaque: bool = False

    @property
    def told(self) -> str:
        """What APIs and pushes call the member."""
        return self.user_id if self.is_opaque else self.name

    @property
    def known_as(self) -> frozenset[str]:
        """Whatever a request may call the member, in small letters."""
        return frozenset({self.name.casefold(), self.user_id.casefold()})


@dataclass(frozen=True, slots=True)
class Order:
    """One article bought by *buyer* from the seller whose listing *item* is."""

    id: str
    item: str
    transaction: str
    title: str
    buyer: Member
    at: datetime
    price: str = "24.90"
    currency: str = "EUR"


@dataclass(slots=True)
class Habits:
    """What differs between days and mailboxes.

    An unfiltered list of more than *large* conversations fails always, of more than a quarter of
    that sometimes: *fails* is the chance. *returns_html*: what is read back is HTML, however it was
    sent. *success_word*: how bulk updates say yes, which eBay's own contract spells in two ways.
    """

    large: int = 20_000
    fails: float = 0.3
    returns_html: bool = False
    success_word: str = "SUCCESS"


@dataclass(slots=True)
class Token:
    """What a token opens: the seller's things, or the application's own (None)."""

    seller: Seller | None
    scopes: frozenset[str]
    until: datetime


@dataclass(slots=True)
class Consent:
    """A refresh token's worth."""

    seller: Seller
    scopes: frozenset[str]
    until: datetime


@dataclass(slots=True)
class Application:
    """A keyset of a developer: its tokens, its calls a day, its place for pushes.

    *limits* may be changed at any time; what was used is counted by day.
    """

    client_id: str
    client_secret: str
    market: Market
    consents: dict[str, Consent] = field(default_factory=dict)
    codes: dict[str, Consent] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    limits: dict[Api, int] = field(default_factory=lambda: dict(CALLS_A_DAY))
    grants: dict[str, int] = field(default_factory=lambda: dict(GRANTS_A_DAY))
    used: Counter[tuple[Any, ...]] = field(default_factory=Counter)

    def consent(self, seller: Seller, scopes: Iterable[str] = SCOPES) -> str:
        """*seller* lets this application in for 18 months; the refresh token."""
        made = self.market.token()
        until = self.market.clock() + CONSENT_LASTS
        self.consents[made] = Consent(seller, frozenset(scopes), until)
        return made

    def revoke(self, seller: Seller) -> None:
        """*seller* takes every consent back: refresh tokens and access tokens die."""
        gone = [name for name, one in self.consents.items() if one.seller is seller]
        for name in gone:
            del self.consents[name]
        self.tokens = {k: one for k, one in self.tokens.items() if one.seller is not seller}

    def mint(self, seller: Seller | None, scopes: Iterable[str]) -> str:
        """An access token, good for two hours."""
        made = self.market.token()
        self.tokens[made] = Token(seller, frozenset(scopes), self.market.clock() + TOKEN_LASTS)
        return made

    def expire_tokens(self) -> None:
        """Every access token has ended by now."""
        for one in self.tokens.values():
            one.until = self.market.clock()

    def spend(self, what: tuple[Any, ...], limit: int | None) -> bool:
        """Count one more of *what* today; False where the day's *limit* is used up."""
        key = (*what, self.market.day())
        if limit is not None and self.used[key] >= limit:
            return False
        self.used[key] += 1
        return True

    def spent(self, what: tuple[Any, ...]) -> int:
        """How many of *what* were used today."""
        return self.used[(*what, self.market.day())]


@dataclass(slots=True)
class Seller:
    """A member who sells, as the one application knows him that he consented to."""

    member: Member
    application: Application
    refresh_token: str
    market: Market
    mailbox: Mailbox
    orders: dict[str, Order] = field(default_factory=dict)
    marketplace: str = "EBAY_DE"
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self)

    def asked(
        self,
        buyer: Member,
        text: str,
        *,
        title: str = "Where is my parcel",
        order: Order | None = None,
        at: datetime | None = None,
    ) -> Conversation:
        """*buyer* writes for the first time about an order, a new one where none is given."""
        at = at or self.market.clock()
        bought = order or self.sells(buyer, at)
        made = self.mailbox.open(buyer, title, at, item=bought.item)
        self.mailbox.write(made, buyer, text, at)
        return made

    def buyer_writes(
        self,
        conversation: Conversation,
        text: str,
        *,
        at: datetime | None = None,
        media: Sequence[Media] = (),
    ) -> Message:
        """The other one writes again."""
        at = at or self.market.clock()
        return self.mailbox.write(conversation, conversation.other, text, at, media=media)

    def answers(
        self, conversation: Conversation, text: str, *, at: datetime | None = None
    ) -> Message:
        """The seller answers on eBay's own page, which keeps HTML and reads what it shows."""
        conversation.mark(is_read=True)
        at = at or self.market.clock()
        return self.mailbox.write(conversation, self.member, f"<p>{text}</p>", at)

    def ebay_writes(
        self, text: str, *, title: str = "A notice of eBay", at: datetime | None = None
    ) -> Conversation:
        """A notice of eBay's own, in a conversation with nobody but eBay."""
        at = at or self.market.clock()
        made = self.mailbox.open(self.market.ebay, title, at, type_="FROM_EBAY")
        self.mailbox.write(made, self.market.ebay, text, at)
        return made

    def options(self) -> dict[str, Any]:
        """How an account of the settings opens this seller, but for the hosts."""
        return {
            "client_id": self.application.client_id,
            "client_secret": self.application.client_secret,
            "refresh_token": self.refresh_token,
            "seller": self.member.name,
            "seller_ids": [self.member.user_id],
            "marketplace": self.marketplace,
        }

    def sells(self, buyer: Member, at: datetime | None = None, title: str = "") -> Order:
        """An order of one article, of a listing of its own."""
        item = self.market.item()
        transaction = str(self.market.numbers.take("transaction"))
        order = Order(
            f"{item}-{transaction}",
            item,
            transaction,
            title or "Sample article",
            buyer,
            at or self.market.clock(),
        )
        self.orders[order.id] = order
        return order


FIRST = {
    "conversation": 101,
    "message": 9001,
    "item": 110_000_000_001,
    "transaction": 2_200_001,
    "user": 1,
    "dossier": 5_000_001,
    "destination": 1,
    "subscription": 1,
    "image": 1,
}


@dataclass(slots=True)
class Numbers:
    """The next number of each kind: the same in every run."""

    coming: Counter[str] = field(default_factory=lambda: Counter(FIRST))

    def take(self, kind: str, count: int = 1) -> int:
        """The next number, or the first of the next *count*."""
        number = self.coming[kind]
        self.coming[kind] += count
        return number


@dataclass(slots=True)
class Market:
    """All of it. *clock* is eBay's own time, an ordered skew included."""

    clock: Callable[[], datetime]
    random: Random
    members: dict[str, Member] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    sellers: dict[str, Seller] = field(default_factory=dict)
    on_message: Callable[[Seller, Conversation, Message], None] = lambda *_: None
    numbers: Numbers = field(default_factory=Numbers)
    habits: Habits = field(default_factory=Habits)
    ebay: Member = field(default_factory=lambda: Member("eBay", "uIdeBay", ""))
    items: set[str] = field(default_factory=set)

    def fails(self, count: int) -> bool:
        """Whether an unfiltered list of so many conversations fails this time."""
        large = self.habits.large
        is_unlucky = count > large // 4 and self.random.random() < self.habits.fails
        return count > large or is_unlucky

    def item(self) -> str:
        """A new listing."""
        made = str(self.numbers.take("item"))
        self.items.add(made)
        return made

    def token(self) -> str:
        """A new secret in eBay's spelling, which is no ASCII word: it must be quoted in forms."""
        return f"v^1.1#i^1#p^3#I^3#r^1#f^0#t^{self.random.getrandbits(256):064x}"

    def day(self) -> str:
        """The day of calls that it is."""
        return f"{(self.clock().astimezone(UTC) - RESET_AT).date()}"

    def resets_at(self) -> datetime:
        """When the next day of calls begins."""
        begun = (self.clock().astimezone(UTC) - RESET_AT).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return begun + RESET_AT + timedelta(days=1)

    def add_member(self, name: str = "", *, is_opaque: bool = False) -> Member:
        """A member; *name* is made up where none is given."""
        number = self.numbers.take("user")
        name = name or f"member-{number}"
        made = Member(
            name,
            f"uId{number:07d}",
            f"{self.random.getrandbits(64):016x}{number:08d}==",
            is_opaque,
        )
        for known in made.known_as:
            self.members[known] = made
        return made

    def member(self, name: str) -> Member | None:
        """Who is called so, by name or by immutable id."""
        return self.members.get(name.casefold())

    def add_application(self) -> Application:
        """A keyset."""
        number = len(self.applications) + 1
        client_id = f"Example-replyby-PRD-{number:08d}"
        made = Application(client_id, f"PRD-{self.random.getrandbits(96):024x}", self)
        self.applications[client_id] = made
        return made

    def add_seller(
        self,
        name: str = "shop-b",
        *,
        application: Application | None = None,
        scopes: Iterable[str] = SCOPES,
        is_opaque: bool = False,
        marketplace: str = "EBAY_DE",
    ) -> Seller:
        """A seller who consented to *application*, the first one where none is given."""
        known = next(iter(self.applications.values()), None)
        chosen = application or known or self.add_application()
        member = self.add_member(name, is_opaque=is_opaque)
        mailbox = Mailbox(member, self.numbers)
        seller = Seller(member, chosen, "", self, mailbox, marketplace=marketplace)
        seller.refresh_token = chosen.consent(seller, scopes)
        self.sellers[name] = seller
        return seller
