"""What the API says and is told, as its document has it: facts of the pages, by the same names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from core.access import Act, Role  # noqa: TC001  # pydantic reads what fields are
from core.web.api.routes import WHOLE, Given, Said

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[ -~]+$")]
Place = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,17}-[0-9]{1,18}$")]
Number = Annotated[int, Field(ge=1, le=2**63 - 1), WHOLE]
Band = Literal["ok", "warning", "critical", "breached"]
Kind = Literal[
    "message", "claim", "return", "inquiry", "cancellation", "dispute", "incident", "chat", "call"
]
PAGE, MOST = 50, 200
"""Threads of a page, unless asked for otherwise; at most."""


class OneThread(Said):
    """A thread of an account."""

    account: Name = Field(description="the account, as the settings name it")
    thread: Id = Field(description="the thread, as the marketplace names it")


class OneReply(Said):
    """A reply that was written here."""

    reply: Number


class OneFile(OneReply):
    """A file of it."""

    number: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE]


class Wanted(Said):
    """Which threads: the board's own filters."""

    account: Word | None = None
    marketplace: Word | None = None
    band: Band | None = Field(None, description="how near the deadline is")
    language: Word | None = None
    kind: Kind | None = None
    promise: Word | None = None
    claimed: Literal["mine", "free", "others"] | None = None
    after: Place | None = Field(None, description="the `next` of the page before")
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE


class Part(Said):
    """Which part of a conversation."""

    before: Id | None = Field(None, description="messages older than the one of this id")
    whole: Id | None = Field(None, description="the message that is not to be cut")
    clocks: Literal["all"] | None = Field(None, description="ended ones too, however many")


class Line(Given):
    """A thread that waits, by its nearest deadline. *others* are how many more clocks run there."""

    account: str
    marketplace: str
    thread: str
    kind: str
    subject: str | None
    order_ids: tuple[str, ...]
    language: str | None
    promise: str
    waits_for: str
    metric: str
    started_at: AwareDatetime
    due_at: AwareDatetime
    band: Band
    flags: tuple[str, ...]
    claimed_by: str | None
    claimed_until: AwareDatetime | None
    reply_state: str | None
    others: int


class Lines(Given):
    """A page of the queue, the nearest deadline first; *next* null: it is the last."""

    threads: tuple[Line, ...]
    next: str | None


class Trouble(Given):
    """What somebody must know before they believe the queue; *account* where it is about one."""

    kind: str
    account: str | None
    since: AwareDatetime | None
    until: AwareDatetime | None
    unseen: int = Field(description="about so many buyers' messages have not been seen")


class Counts(Given):
    """How many threads wait, as of *at*; and what is wrong, without which no count is believed."""

    at: AwareDatetime
    total: int
    bands: dict[str, int]
    marketplaces: dict[str, int]
    troubles: tuple[Trouble, ...]


class Account(Given):
    """A seller account: when it was read last, until when whole, how many clocks run by band.

    *bands* null: they were not counted yet. *authorized* is false where the marketplace refuses us.
    """

    name: str
    title: str
    marketplace: str
    bands: dict[str, int] | None
    next_deadline: AwareDatetime | None
    last_read: AwareDatetime | None
    seen_through: AwareDatetime | None
    authorized: bool


class Accounts(Given):
    """The accounts that who asks sees, and what is wrong."""

    accounts: tuple[Account, ...]
    faults: tuple[str, ...]
    troubles: tuple[Trouble, ...]


class Changed(Given):
    """What of a clock changed: an instant is written as such."""

    name: str
    before: AwareDatetime | str | None
    after: AwareDatetime | str | None


class Step(Given):
    """What changed at once."""

    at: AwareDatetime
    changed: tuple[Changed, ...]


class Clock(Given):
    """One waiting of one promise, and why it is due when it is. *band* null: nothing is told."""

    id: int | None
    promise: str
    waits_for: str
    metric: str
    state: str
    band: Band | None
    started_at: AwareDatetime
    due_at: AwareDatetime
    due_from: str
    stopped_at: AwareDatetime | None
    reason: str | None
    flags: tuple[str, ...]
    why: tuple[str, ...]
    history: tuple[Step, ...]


class Item(Given):
    """A line of an order."""

    title: str
    quantity: int
    product: str | None
    sku: str | None


class Order(Given):
    """What is known of an order, as of then; nothing about a person. *parcels*: how each stands."""

    id: str
    as_of: AwareDatetime
    status: str
    bought_at: AwareDatetime | None
    ship_by: AwareDatetime | None
    shipped_at: AwareDatetime | None
    deliver_by: AwareDatetime | None
    fulfilled_by: Literal["seller", "marketplace"] | None
    parcels: tuple[str, ...]
    cancel_asked: bool
    items: tuple[Item, ...]
    total: str | None
    currency: str | None


class Beside(Given):
    """Another thread of the same buyer: its nearest deadline, and when it was answered last."""

    account: str
    thread: str
    kind: str
    subject: str | None
    order_ids: tuple[str, ...]
    last_at: AwareDatetime | None
    due_at: AwareDatetime | None
    promise: str | None
    answered_at: AwareDatetime | None


class File(Given):
    """A file of a message; its bytes stay at the marketplace."""

    id: str
    name: str
    size: int | None
    media_type: str | None


class Message(Given):
    """A message. *body* is its begin as it was written, maybe in HTML; *length* the whole's."""

    id: str
    party: str
    kind: str
    sent_at: AwareDatetime | None
    visible_at: AwareDatetime | None
    seen_at: AwareDatetime
    origin: str
    delivery: str | None
    level: str | None
    language: str | None
    subject: str | None
    order_id: str | None
    attachments: tuple[File, ...]
    body: str
    length: int
    reply: int | None
    written_by: str | None
    reason: str | None


class Claim(Given):
    """Whose a thread is, and until when."""

    account: str
    thread: str
    by: str
    since: AwareDatetime
    until: AwareDatetime


class Thread(Given):
    """A thread as its page shows it. *older*: there are messages before the last one here.

    *language_set* is its language where a person said it; null: its messages say it.
    """

    account: str
    thread: str
    kind: str
    subject: str | None
    buyer: str
    order_ids: tuple[str, ...]
    url: str | None
    incomplete: bool
    language_set: str | None
    language_set_by: str | None
    closed_at: AwareDatetime | None
    absent_since: AwareDatetime | None
    erased_at: AwareDatetime | None
    read_at: AwareDatetime | None
    blind_since: AwareDatetime | None
    claim: Claim | None
    clocks: tuple[Clock, ...]
    clocks_left_out: int
    orders: tuple[Order, ...]
    beside: tuple[Beside, ...]
    messages: tuple[Message, ...]
    older: bool


class Macro(Given):
    """What agents answer with: *texts* by language, with gaps.

    Of no accounts and marketplaces: of all.
    """

    name: str
    title: str
    texts: dict[str, str]
    accounts: tuple[str, ...]
    marketplaces: tuple[str, ...]
    revision: int


class Macros(Given):
    """Those that are of an account that who asks sees."""

    macros: tuple[Macro, ...]


class OneMacro(OneThread):
    """A macro for a thread."""

    macro: Name


class Tongue(Said):
    """In which language; left out: in the buyer's."""

    language: (
        Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")] | None
    ) = None


class Filled(Given):
    """A macro's text for a thread; *missing* are gaps for which nothing is known.

    *is_other*: it has no text in the language that was asked for.
    """

    text: str
    language: str
    is_other: bool
    missing: tuple[str, ...]


class Me(Given):
    """Who asks, and what they may; *accounts* null: all."""

    name: str
    title: str
    role: Role
    may: tuple[Act, ...]
    accounts: tuple[str, ...] | None
    language: str | None
    zone: str | None
    means: str
