"""How a person is told: one coroutine, which returns or raises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Generic, Protocol, TypeVar, runtime_checkable

from pydantic import AfterValidator, Field

from core.connector import Options
from core.pace import Rate
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from aiohttp import ClientSession

    from core.model import Notice
    from core.pace import Pace
    from core.transport.http import Http


@dataclass(frozen=True, slots=True)
class Words:
    """A notice as a reader sees it: a line, a few lines more, and where to look.

    No buyer's name, address or text; instants in the reader's zone. *at* is when it was worded:
    "2 h left" is true then. *act_url* is a signed page on which the reader says "I take it", for
    this one reader and not to be logged; *marketplace* is whose thread it is, None: nobody's.
    """

    subject: str
    text: str
    url: str | None
    at: datetime
    act_url: str | None = None
    marketplace: str | None = None


class Notifier(Protocol):
    """A way of sending. *name* is the settings' key and the metric label; *zone* the reader's.

    *digest_after*: how many warnings and breaches a minute it is given one by one; 0: all.
    """

    @property
    def name(self) -> str: ...

    @property
    def zone(self) -> str: ...

    @property
    def digest_after(self) -> int: ...

    async def send(self, notice: Notice, words: Words) -> str | None:
        """Deliver, or raise `NotifierError`. May be called again for the same `notice.key`.

        Returns:
            The receiver's own name of the message, where that is needed to close it: see `Closes`.
        """


@runtime_checkable
class Paced(Protocol):
    """A notifier that may not be told faster than its *pace*; None: as fast as it comes."""

    @property
    def pace(self) -> Pace | None: ...


@runtime_checkable
class Brief(Protocol):
    """A notifier whose messages hold no more than *most* characters of text."""

    @property
    def most(self) -> int: ...


@runtime_checkable
class Closes(Protocol):
    """A notifier whose receiver keeps what it was told open, until it is told that it is over."""

    async def close(self, notice: Notice, words: Words, names: Sequence[str]) -> None:
        """Close what was told of the clock of *notice*, or raise `NotifierError`.

        *names* are what `send` returned of it. May be called again for the same `notice.key`, and
        for what was closed before.
        """


@runtime_checkable
class Keeps(Protocol):
    """A notifier whose receiver forgets what it is not told again in time: *every* so often."""

    @property
    def every(self) -> timedelta: ...

    async def keep(self, standing: Sequence[tuple[Notice, Words]]) -> None:
        """Tell all that stands open once more, or raise `NotifierError`."""


def _zone(name: str) -> str:
    zones.zone(name)
    return name


class NotifierOptions(Options):
    """What the settings say to a notifier; each kind subclasses it and narrows *kind*.

    *zone* is where the reader lives: deadlines are written in its time. *digest_after*: how many
    warnings, breaches, corrections and words of notices that were not delivered are told one by one
    within a minute; what comes beyond them leaves as a digest, every half a minute at most. 0: one
    by one, whatever comes. *rate*: how many messages leave within a span at most; what exceeds it
    waits, and leaves as a digest.
    """

    kind: str
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    digest_after: int = Field(default=2, ge=0)
    rate: Rate | None = None

    def faults(self, directory: Path) -> Iterator[tuple[str, str]]:  # noqa: ARG002  # for kinds that write on this machine
        """Keys with what cannot work on this machine; paths start from *directory*."""
        yield from ()


class Settled:
    """What every notifier has by its settings: see `Notifier` and `Paced`."""

    def __init__(self, name: str, options: NotifierOptions) -> None:
        self.name = name
        self.zone = options.zone
        self.digest_after = options.digest_after
        self.pace = options.rate


OptionsT = TypeVar("OptionsT", bound=NotifierOptions)


@dataclass(frozen=True, slots=True)
class Means:
    """What a notifier may send with: *http*, and the *directory* from which its paths start.

    *walled* connects to no private address; None: nothing was opened that does so.
    """

    http: Http
    directory: Path
    walled: ClientSession | None = None

    @property
    def outside(self) -> Http:
        """As *http*, for receivers that must not be of our own network.

        Raises:
            LookupError: nothing was opened that keeps to that.
        """
        if self.walled is None:
            raise LookupError("a walled session is needed: core.transport.http.open_session")
        return replace(self.http, walled=self.walled)


@dataclass(frozen=True, slots=True)
class NotifierKind(Generic[OptionsT]):
    """A kind of notifier, declared: what the settings may say, and how it is opened by name."""

    options: type[OptionsT]
    open: Callable[[str, OptionsT, Means], Notifier]


AnyKind = NotifierKind[Any]


def stable_id(notice: Notice) -> str:
    """What a receiver knows repetitions by: the same at every attempt; letters and digits only."""
    return f"msg_{sha256(notice.key.encode()).hexdigest()[:32]}"


def payload(notice: Notice, words: Words, *, act_url: bool) -> dict[str, object]:
    """A notice for programs: closed words and numbers, beside what a person reads.

    With *act_url* also the link by which whoever has it acts: not for what others may read later.
    """
    told: dict[str, object] = {
        "id": stable_id(notice),
        "key": notice.key,
        "kind": notice.kind.value,
        "account": notice.account,
        "thread": notice.thread,
        "clock": notice.clock,
        "due_at": notice.due_at.isoformat() if notice.due_at else None,
        "raised_at": notice.raised_at.isoformat(),
        "sent_at": words.at.isoformat(),
        "facts": dict(notice.facts),
        "subject": words.subject,
        "text": words.text,
        "url": words.url,
    }
    return told | {"act_url": words.act_url} if act_url else told
