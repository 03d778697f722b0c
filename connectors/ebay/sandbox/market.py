"""Members, sellers, the applications they consented to, and what was bought."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.ebay.sandbox.applications import SCOPES, Application
from connectors.ebay.sandbox.conversations import Mailbox
from connectors.ebay.sandbox.desk import Desk
from connectors.ebay.sandbox.exchanges import Exchanges
from connectors.ebay.sandbox.signing import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from random import Random

    from connectors.ebay.sandbox.applications import Api
    from connectors.ebay.sandbox.conversations import Conversation, Media, Message

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

    A push leaves *push_after* the news. Who did not answer 2xx *ack_within* gets it *again_after*,
    until *gives_up_after*; *most_failures* on end mark a destination down. *pushes_own*: what the
    seller wrote is pushed too, *pushes_ebay*: what eBay wrote; neither is known.
    """

    large: int = 20_000
    fails: float = 0.3
    returns_html: bool = False
    success_word: str = "SUCCESS"
    push_after: timedelta = timedelta(seconds=1)
    ack_within: timedelta = timedelta(seconds=10)
    again_after: timedelta = timedelta(minutes=3)
    gives_up_after: timedelta = timedelta(days=1)
    most_failures: int = 100
    pushes_own: bool = False
    pushes_ebay: bool = False


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
    limits: dict[Api, int] = field(default_factory=lambda: {("commerce", "message"): 20_000})
    desk: Desk = field(init=False)
    exchanges: Exchanges = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self)
        self.exchanges = Exchanges(self)

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
    """The next number of each kind: the same in every run, unless some are left out."""

    coming: Counter[str] = field(default_factory=lambda: Counter(FIRST))
    left_out: int = 0

    def leave_out(self, count: int) -> None:
        """Leave out the first *count* of every kind, before any was taken: another run's."""
        self.left_out += count
        for kind in self.coming:
            self.coming[kind] += count

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
    images: dict[str, datetime] = field(default_factory=dict)
    keys: Keys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Keys(self.random)

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
        mailbox.on_message = lambda where, said: self.on_message(seller, where, said)
        self.sellers[name] = seller
        return seller
