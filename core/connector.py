"""What a connector is: the public surface for authors of one.

A connector is declared as a value, `spec = Spec(...)`, found by the entry points of the group
`replyby.connectors.v1`. It reads (`Connector`), and what more it can do is declared in `can` and is
one more small protocol each: `Replies`, `Looks`, `MarksRead`, `Receives`, `Subscribes`, `Waits`,
`Enriches`, `Acts`, `Translates`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from core.capabilities import Capabilities, SeesReplies, Unwelcome
from core.errors import SettingsError
from core.options import Options, Part
from core.pushes import (
    Member,
    Pushed,
    PushOutcome,
    PushRequest,
    Receipt,
    Receives,
    Subscribes,
)  # fmt: skip
from core.samples import Translates

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import date, datetime, timedelta

    from core.model import Draft, File, Order, Page, Stream, Thread
    from core.transport.http import Http
    from core.transport.mailbox import Mailboxes
    from core.transport.smtp import Smtp
    from sla.contract import Reported
    from sla.policy import Party, Policy

__all__ = [
    "Action", "Acts", "Allowed", "Capabilities", "Connector", "Credential", "Deed", "Enriches",
    "Filling", "Looks", "MarksRead", "Member", "Options", "Part", "PushOutcome", "PushRequest",
    "Pushed", "Receipt", "Receives", "Refuses", "Replies", "SandboxClock", "SandboxSpec",
    "SeesReplies", "Sent", "Spec", "Subscribes", "Translates", "Transport", "Unwelcome", "Waits",
    "load_specs",
]  # fmt: skip

GROUP = "replyby.connectors.v1"

KIND = "kind"
"""The option by which an account says what kind of source it is (`Spec.kinds`)."""

OptionsT = TypeVar("OptionsT", bound=Options)


@dataclass(frozen=True, slots=True)
class Transport:
    """How a connector reaches the world; it takes what it needs.

    *mailboxes* and *smtp* are there wherever the program itself opens a connector; None only where
    a test of a connector without mail leaves them out.
    """

    http: Http
    mailboxes: Mailboxes | None = None
    smtp: Smtp | None = None


class Connector(Protocol):
    """Reads one account; never retries, sleeps or logs a body. Its errors: `ConnectorError`."""

    async def check(self) -> Sequence[str] | None:
        """Make a cheap authenticated call or a few, or raise why the account is down.

        Returns:
            What could not be verified, if anything: each begins with the key.
        """

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of a walk of *stream* that starts at *cursor*, or at the look-back for None.

        *position* is the last page's, None for the first page; *now* is the walk's begin.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A reply that the marketplace accepted; *message_id* is None where it does not tell."""

    message_id: str | None


@runtime_checkable
class Replies(Protocol):
    """Can answer."""

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Send once, never again.

        Raises:
            Refused, BadCredentials: it was certainly not sent, and trying again cannot help;
                `unanswerable` where no other answer can reach them either: who waits waits no more.
            RateLimited, Unreachable: it was certainly not sent; core tries again later.
            OutcomeUnknown: it may have been sent; so does any other exception mean.
        """
        ...


@runtime_checkable
class Looks(Protocol):
    """Can read single threads, whole: the last look, long threads, reading a reply back."""

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These threads as they are now, with all their messages; unknown ones are left out."""
        ...


@runtime_checkable
class MarksRead(Protocol):
    """Can mark threads as read at the marketplace. Core asks only where a person asks for it."""

    async def mark_read(self, threads: Sequence[Thread]) -> Mapping[str, str]:
        """Mark them; why it was not done, by thread, for those that stay as they are.

        Marking twice does no harm: there is no unknown outcome.

        Raises:
            ConnectorError: nothing is known of any of them.
        """
        ...


@runtime_checkable
class Enriches(Protocol):
    """Knows orders: what an agent wants to see beside a thread, nothing about a person."""

    async def orders(self, ids: Sequence[str], now: datetime) -> Mapping[str, Order | None]:
        """These orders, None where the marketplace knows none of that id.

        Left out is what its rate does not allow to be asked for now.

        Raises:
            ConnectorError: none of them could be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Action:
    """What may be done about an order beside replying. It is no reply and ends no clock.

    *text* and *files*: how few and how many characters and files it takes; *has_period*: it takes
    two days.
    """

    name: str
    text: tuple[int, int] = (0, 0)
    files: tuple[int, int] = (0, 0)
    has_period: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be done about one order now; *language* is the buyer's (``de-DE``), where told."""

    actions: tuple[Action, ...]
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody here wants to be done about *order*: the *action*, with what it takes."""

    order: str
    action: str
    text: str | None = field(default=None, repr=False)
    files: tuple[File, ...] = ()
    period: tuple[date, date] | None = None


@runtime_checkable
class Acts(Protocol):
    """Can do something about an order beside replying."""

    async def allowed(self, order: str, now: datetime) -> Allowed:
        """What may be done about *order* at this moment.

        Raises:
            ConnectorError: the marketplace does not say, or knows no such order.
        """
        ...

    def refuses(self, deed: Deed) -> str | None:
        """Why *deed* is certainly refused whatever its order is like; without a call."""
        ...

    async def act(self, deed: Deed, now: datetime) -> None:
        """Do it once, never again, if it is allowed.

        Raises:
            Refused, BadCredentials: it was certainly not done, and trying again cannot help.
            RateLimited, Unreachable: it was certainly not done.
            OutcomeUnknown: it may have been done; so does any other exception mean.
        """
        ...


@runtime_checkable
class Waits(Protocol):
    """Is told by its source that something is new (IMAP IDLE, a socket); holds no poll slot."""

    async def wait(self, stop: asyncio.Event) -> bool:
        """Wait until the source has something new (True), or *stop* is set (False).

        After a call that raised it is True as soon as it listens again, unless all was read since:
        nobody heard what came meanwhile.
        """
        ...


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that ends by itself: *name* as people know it, never the key; *made_at* if known."""

    name: str
    expires_at: datetime
    made_at: datetime | None = None


SandboxClock = Callable[[], "datetime"]

Refuses = Callable[["Thread", "Collection[Party]"], "str | None"]


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills the gaps in the *options* of a sandbox account, and in *tables* that it has."""

    options: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SandboxSpec(Generic[OptionsT]):
    """The marketplace's stand-in.

    *options* fill the required options of a sandbox account in the settings until it runs, and
    *tables*, by its name, the gaps of a table of options that is written there; *kinds* are both of
    one of the connector's kinds (`Spec.kinds`), in their place; *open* starts it on loopback for
    these accounts, plays invented buyers, and yields, by account, the options to use (address,
    key).
    """

    options: Mapping[str, Any]
    open: Callable[
        [Mapping[str, OptionsT], SandboxClock],
        AbstractAsyncContextManager[Mapping[str, Mapping[str, Any]]],
    ]
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    kinds: Mapping[str, Filling] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spec(Generic[OptionsT]):
    """A connector, declared. Importing it has no side effect.

    *policies*: the contracts that fit an account's options, in all their dated versions.
    *marketplace*: the metric label (the operator, where one connector serves many marketplaces).
    *identity*: what makes two accounts the same shop at the same address (no secret).
    *budget*: the key of the rate limit that accounts share (no secret).
    *operations*: the closed list of words that name its calls in metrics; *topics* that of what it
    is pushed.
    *credentials*: the keys of an account of which it is known when they end.
    *findings*: what is allowed in an account's options and yet not wise, beside those of the other
    accounts of this connector; each begins with the key.
    *own*: what the marketplace calls the seller, in small letters: nobody whom one erases.
    *pushed_to*: the address that the marketplace was told for an account's pushes, None: none.
    *pusher*: who pushes there (no secret): accounts with the same one may share an address. None:
    all accounts of this connector may.
    *goals*: promises of our own where the marketplace makes none; an account whose settings name
    goals has those in their place.
    *refuses*: why parties of a thread, as it is stored, certainly cannot be answered there: asked
    before a reply is queued, without a call.
    *narrows*: what of its capabilities is left for a reply in one thread, where that is less.
    *reported*: of the marketplace's own numbers, by name as of when, those to be laid beside ours.
    *texts_kept*: how long texts are kept where the settings do not say, by the marketplace's rules.
    *language*: what the marketplace's buyers write, where nearly all write one (``de``).
    *kinds*: where one connector reads several kinds of sources, the options of each by the word
    that its option ``kind`` says; *options* is then what all have in common, and takes no other
    word. *words* are then an account's own *operations* and *topics*.
    """

    name: str
    options: type[OptionsT]
    policies: Callable[[OptionsT], tuple[Policy, ...]]
    streams: Callable[[OptionsT], tuple[Stream, ...]]
    open: Callable[[OptionsT, Transport], Connector]
    can: Callable[[OptionsT], Capabilities]
    marketplace: Callable[[OptionsT], str]
    identity: Callable[[OptionsT], str]
    budget: Callable[[OptionsT], str]
    operations: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    sandbox: SandboxSpec[OptionsT] | None = None
    findings: Callable[[OptionsT, Sequence[OptionsT]], tuple[str, ...]] | None = None
    credentials: Callable[[OptionsT], tuple[Credential, ...]] | None = None
    own: Callable[[OptionsT], frozenset[str]] | None = None
    pushed_to: Callable[[OptionsT], str | None] | None = None
    pusher: Callable[[OptionsT], str] | None = None
    refuses: Refuses | None = None
    narrows: Callable[[Capabilities, Thread], Capabilities] | None = None
    goals: Callable[[OptionsT], tuple[Policy, ...]] | None = None
    texts_kept: timedelta | None = None
    language: Callable[[OptionsT], str | None] | None = None
    reported: Callable[[Mapping[str, tuple[datetime, float]]], Sequence[Reported]] | None = None
    kinds: Mapping[str, type[OptionsT]] = field(default_factory=dict)
    words: Callable[[OptionsT], tuple[tuple[str, ...], tuple[str, ...]]] | None = None

    def words_of(self, options: OptionsT) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The operations and topics that an account may bring: labels that exist from the start."""
        return (self.operations, self.topics) if self.words is None else self.words(options)

    def options_of(self, written: Mapping[str, Any]) -> type[OptionsT]:
        """The options that *written* is to become; what all have in common where no kind fits."""
        kind = written.get(KIND)
        return self.kinds.get(kind, self.options) if isinstance(kind, str) else self.options


def load_specs() -> dict[str, Spec[Any]]:
    """The installed connectors by name, built-in and foreign alike.

    Raises:
        SettingsError: none is installed, or an entry point cannot be imported.
    """
    specs: dict[str, Spec[Any]] = {}
    for point in entry_points(group=GROUP):
        try:
            spec = point.load()
        except Exception as fault:
            raise SettingsError([_unloadable(point.name, fault)]) from fault
        specs[point.name] = spec
    if not specs:
        raise SettingsError(
            ["no connector is installed: the project itself is not (pip install -e .)"]
        )
    return specs


def _unloadable(name: str, fault: Exception) -> str:
    why = type(fault).__name__
    return f"connector {name}: its package cannot be imported ({why}); mend or uninstall it"
