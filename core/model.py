"""The common schema: what every marketplace's words become. Frozen; unknown fields are refused.

Every ``*_at`` is an aware instant in UTC; every ``*_within`` and ``*_every`` a duration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, NewType

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from core.languages import Language
from core.told import Dispatch, Notice, NoticeKind, PushTrouble
from sla.clock import Clock, Delivery, Given, Kind, Level
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr

__all__ = [
    "LONE", "LONGEST_SILENCE", "MAX_ID", "MAX_LINE", "UNSEEN", "Account", "AccountName",
    "Attachment", "ClockRow", "Dispatch", "Draft", "File", "Health", "HealthState", "Id",
    "Item", "Line", "Message", "MessageId", "Model", "Notice", "NoticeKind", "Order", "Origin",
    "Page", "Published", "PushTrouble", "SetAside", "Stream", "Text", "Thread", "ThreadId",
    "Verdict",
]  # fmt: skip

AccountName = NewType("AccountName", str)
ThreadId = NewType("ThreadId", str)
MessageId = NewType("MessageId", str)

MAX_ID = 1000
MAX_LINE = 2000
LONGEST_SILENCE = timedelta(days=60)
"""So long pushes are waited for at most: who is pushed more seldom is told of no silence."""

LONE = re.compile("[\ud800-\udfff]")
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters but tabs and line breaks."""

Origin = Literal["ours", "elsewhere"]


def _storable(text: str) -> str:
    """*text* with what PostgreSQL and UTF-8 cannot hold (NUL, lone surrogates) as U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = LONE.sub("\ufffd", text)
    return text


def _clean(value: object) -> object:
    return _storable(value) if isinstance(value, str) else value


# An id with a NUL is no match, one with a lone surrogate no string: without a line of Python.
# A line is cleaned before its length is looked at, for a lone surrogate has none.
Id = Annotated[str, Field(max_length=MAX_ID, pattern=r"^[^\x00]+$")]
Line = Annotated[str, Field(max_length=MAX_LINE), BeforeValidator(_clean)]
Text = Annotated[str, AfterValidator(_storable)]


class Model(BaseModel):
    """The base of the common schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Attachment(Model):
    """A file of a message; its bytes stay at the marketplace until somebody asks for them."""

    id: Id
    name: Line = ""
    size: int | None = None
    media_type: Line | None = None


class Message(Model):
    """One entry in a thread, as the marketplace tells it. It satisfies `sla.clock.Turn`.

    *sent_at* is None where the marketplace's own stamp cannot be read; *to* are the parties
    addressed (column `addressed_to`); *raw* is what was sent, kept where *body* loses something.
    *seen_at* is set by ingest, never by a connector. *language* is what the marketplace calls it,
    kept as `core.languages.tag` writes it. *doubtful*, which is not stored: a machine may
    have written it, or somebody under another's name; it counts, and nothing answers it by itself.
    """

    id: Id
    thread: Id
    party: Party
    kind: Kind = Kind.MESSAGE
    to: frozenset[Party] = frozenset()
    delivery: Delivery | None = None
    origin: Origin = "elsewhere"
    level: Level | None = None
    sent_at: AwareDatetime | None
    visible_at: AwareDatetime | None = None
    language: Language = None
    subject: Line | None = None
    body: Text = ""
    order_id: Id | None = None
    attachments: tuple[Attachment, ...] = ()
    raw: bytes | None = None
    doubtful: bool = False


class Thread(Model):
    """A conversation. An older *as_of* never overwrites a newer one, but for its orders.

    A state without *order_ids* keeps those that are known, and their *url*: a conversation stays
    about what it was about. Whatever else a newer state leaves out is gone.

    *incomplete* says that the marketplace holds more of it than we could read; *reply_to* is what
    the connector needs to answer (opaque to core).
    """

    id: Id
    kind: ThreadKind = ThreadKind.MESSAGE
    subject: Line | None = None
    buyer: Line = ""
    order_ids: tuple[Id, ...] = ()
    url: Line | None = None
    as_of: AwareDatetime
    incomplete: bool = False
    closed_at: AwareDatetime | None = None
    reply_to: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A payload that could not be read: kept with the reason; its neighbours go on.

    *quiet*: it was to be expected, so nobody is told; it is listed all the same.
    """

    source_id: str
    reason: str
    raw: bytes
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """The marketplace's own number about the seller, as it says, at the instant it says."""

    name: str
    value: float
    as_of: datetime


class Item(Model):
    """A line of an order; *product* is the marketplace's own id of what was bought (an ASIN)."""

    product: Line | None = None
    sku: Line | None = None
    title: Line = ""
    quantity: int = 1


class Order(Model):
    """What an agent wants to see of an order beside its thread: nothing about a person.

    *status* and *parcels* (the state of each) are the marketplace's words in small letters.
    *ship_by* and *deliver_by* end what was promised to the buyer; *shipped_at* is the first parcel.
    *total* is an amount as written, with its *currency*.
    """

    id: Id
    as_of: AwareDatetime
    status: Line = ""
    bought_at: AwareDatetime | None = None
    ship_by: AwareDatetime | None = None
    shipped_at: AwareDatetime | None = None
    deliver_by: AwareDatetime | None = None
    fulfilled_by: Literal["seller", "marketplace"] | None = None
    parcels: tuple[Line, ...] = ()
    cancel_asked: bool = False
    items: tuple[Item, ...] = ()
    total: Line | None = None
    currency: Line | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the marketplace says, later and elsewhere, became of a seller's message.

    *id* is the message that says so, at *at*; *delivery* is `confirmed` or `refused`. It means the
    message *message_id* where it names one, else one to the buyer whose threads have *buyer* as
    their `reply_to["buyer"]`, about *order_id*, written in *thread*, as far as each is told;
    *text* is all that the letter says: the buyer's name stands in it, and in a copy what was
    written. *is_copy*: where it is of nothing that left from here, it is an answer given elsewhere.
    """

    id: str
    delivery: Delivery
    at: datetime
    message_id: str | None = None
    buyer: str | None = None
    order_id: str | None = None
    thread: str | None = None
    text: str = field(default="", repr=False)
    is_copy: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What one fetch returned. *cursor* and *position* are opaque to core.

    *cursor* is where the next walk starts, and counts with the last page only (unless the stream
    is ascending); *position* is where this walk goes on, and lives in memory. *links* set the
    marketplace's own mark "no reply needed", by message: secrets that only a person follows.
    *pushes* are why no push can arrive, as the marketplace tells; None: it was not asked.
    """

    messages: tuple[Message, ...] = ()
    threads: tuple[Thread, ...] = ()
    given: tuple[tuple[str, Given], ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    published: tuple[Published, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    links: Mapping[str, SecretStr] = field(default_factory=dict, repr=False)
    pushes: tuple[PushTrouble, ...] | None = None
    cursor: str | None = None
    position: str | None = None
    more: bool = False


def merged(pages: Sequence[Page]) -> Page:
    """Several pages of a walk as one."""
    return Page(
        messages=tuple(chain.from_iterable(page.messages for page in pages)),
        threads=tuple(chain.from_iterable(page.threads for page in pages)),
        given=tuple(chain.from_iterable(page.given for page in pages)),
        set_aside=tuple(chain.from_iterable(page.set_aside for page in pages)),
        published=tuple(chain.from_iterable(page.published for page in pages)),
        verdicts=tuple(chain.from_iterable(page.verdicts for page in pages)),
        links={message: url for page in pages for message, url in page.links.items()},
        pushes=next((page.pushes for page in reversed(pages) if page.pushes is not None), None),
    )


@dataclass(frozen=True, slots=True)
class Stream:
    """One thing of an account that is read by itself.

    *every* is the time from one walk's begin to the next; *floor* the shortest that the
    marketplace's published limits allow. *ascending* lets the cursor move with every page. *kinds*
    are the threads that it carries: how often it is read matters to promises for these.
    *limited_alone*: where the marketplace asks it to wait, nothing else of the account has to.
    *pushed*: what is new in it is pushed too: a push pulls its walk forward, and a buyer's message
    that a walk alone brings says that pushes do not arrive.
    """

    name: str
    every: timedelta
    carries_clocks: bool = True
    ascending: bool = False
    floor: timedelta = timedelta(seconds=1)
    kinds: frozenset[ThreadKind] = frozenset(ThreadKind)
    limited_alone: bool = False
    pushed: bool = False


class HealthState(StrEnum):
    """The state of a stream; an account's is the worst of its streams that carry clocks.

    *forbidden*: the key is good, and may not read this one stream; the others are read.
    """

    STARTING = "starting"
    OK = "ok"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    BAD_PAYLOAD = "bad_payload"
    FORBIDDEN = "forbidden"
    BAD_CREDENTIALS = "bad_credentials"


@dataclass(frozen=True, slots=True)
class Health:
    """How a stream is, since when, and what it last said (no secret, no body)."""

    state: HealthState
    since: datetime
    last_ok_at: datetime | None = None
    error: str | None = None


class ClockRow(NamedTuple):
    """A stored clock: what is computed (`clock`), and what is remembered (the rest).

    *step* is the highest step told or muted; *breached_at* the `due_at` that passed when the
    breach was counted; *counted* says that it was counted as started, which it is once. None of the
    remembered fields is computed again.
    """

    id: int | None
    account: str
    thread: str
    clock: Clock
    revision: int = 0
    step: int = 0
    breached_at: datetime | None = None
    corrected_at: datetime | None = None
    correction: str | None = None
    history: bool = False
    counted: bool = False

    @property
    def is_replied(self) -> bool:
        """Whether a seller's turn ended it, in time or late: no state, reading or next message."""
        clock = self.clock
        by_a_turn = clock.reason is None and clock.stopped_by is not None
        return by_a_turn and clock.ended in ("met", "late")


class Account(Model):
    """One seller account at one marketplace: the unit that is measured and routed.

    *marketplace* is the metric label (a Mirakl operator, say); *identity* names the shop behind
    it, so that the same shop is not read twice; accounts of one *shop*, or of one *seller*, have
    buyers in common; *policies* and *goals* are names of promises.
    *judged*, *letters*, *confirmed_after* and *receives* are what its connector declares
    (`core.connector.Capabilities`, *judged* by its ``verdicts``), as is *replies*; *polled*:
    messages can be read by asking. *silence* is how long at most nothing may be pushed, None: what
    is usual says it. *language* is what its buyers write, where nothing else says it.
    """

    name: str
    connector: str
    marketplace: str
    title: str
    identity: str
    shop: str | None = None
    seller: str | None = None
    policies: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    sandbox: bool = False
    judged: bool = False
    letters: bool = False
    confirmed_after: timedelta | None = None
    receives: bool = False
    polled: bool = True
    replies: bool = False
    silence: timedelta | None = None
    language: Language = None


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a reply or a deed.

    *url* is its public address, where it lies elsewhere already: *content* is empty then.
    """

    name: str
    content: bytes = field(default=b"", repr=False)
    media_type: str = "application/octet-stream"
    url: str | None = None


class Draft(Model):
    """A reply that somebody wrote here: *body* is plain text, *to* the parties addressed.

    *quoted* is the newest message of those who wait, which a reply by mail repeats; None where
    there is none, or where it was erased. *automatic*: nobody wrote it, and it is to say so;
    *subject* is then its own.
    """

    id: int
    account: str
    thread: str
    body: Text
    to: frozenset[Party] = frozenset({Party.BUYER})
    queued_at: datetime
    files: tuple[File, ...] = ()
    quoted: Text | None = Field(default=None, repr=False)
    automatic: bool = False
    subject: Line | None = None
