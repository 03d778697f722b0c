"""How a person is told: one coroutine, which returns or raises."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Generic, Protocol, TypeVar

from pydantic import AfterValidator, Field

from core.connector import Options
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from core.model import Notice, NoticeKind
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

    async def send(self, notice: Notice, words: Words) -> None:
        """Deliver, or raise `NotifierError`. May be called again for the same `notice.key`."""


def _zone(name: str) -> str:
    zones.zone(name)
    return name


class NotifierOptions(Options):
    """What the settings say to a notifier; each kind subclasses it and narrows *kind*.

    *zone* is where the reader lives: deadlines are written in its time. *digest_after*: how many
    warnings, breaches, corrections and words of notices that were not delivered are told one by one
    within a minute; what comes beyond them leaves as a digest, every half a minute at most. 0: one
    by one, whatever comes.
    """

    kind: str
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    digest_after: int = Field(default=2, ge=0)

    def faults(self, directory: Path) -> Iterator[tuple[str, str]]:  # noqa: ARG002  # for kinds that write on this machine
        """Keys with what cannot work on this machine; paths start from *directory*."""
        yield from ()


OptionsT = TypeVar("OptionsT", bound=NotifierOptions)


@dataclass(frozen=True, slots=True)
class Means:
    """What a notifier may send with: *http*, and the *directory* from which its paths start."""

    http: Http
    directory: Path


@dataclass(frozen=True, slots=True)
class NotifierKind(Generic[OptionsT]):
    """A kind of notifier, declared: what the settings may say, and how it is opened by name."""

    options: type[OptionsT]
    open: Callable[[str, OptionsT, Means], Notifier]


AnyKind = NotifierKind[Any]


@dataclass(frozen=True, slots=True)
class Route:
    """Which kinds of notices go to which notifiers; an empty *kinds* means all."""

    name: str
    notifiers: tuple[str, ...]
    kinds: frozenset[NoticeKind] = frozenset()
    fallback: bool = False

    def takes(self, kind: NoticeKind) -> bool:
        """Whether notices of *kind* go this way."""
        return not self.kinds or kind in self.kinds


@dataclass(frozen=True, slots=True)
class Routing:
    """Who is told what: the account's own routes, else the fallback."""

    routes: Mapping[str, Route]
    accounts: Mapping[str, tuple[str, ...]]

    def notifiers(self, account: str, kind: NoticeKind) -> tuple[str, ...]:
        """The notifiers for a notice, each once, in the order of the settings."""
        own = [self.routes[name] for name in self.accounts.get(account, ())]
        return self._of(own, kind) or self.fallback(kind)

    def fallback(self, kind: NoticeKind) -> tuple[str, ...]:
        """The notifiers of the fallback routes that take *kind*."""
        return self._of((r for r in self.routes.values() if r.fallback), kind)

    def ways(self, account: str, kind: NoticeKind, notifier: str) -> tuple[str, ...]:
        """The routes by which a notice comes to *notifier*.

        What came by none of them (a correction follows the breach that it takes back, whatever the
        routes say of its kind) came by those that lead there at all, the account's own if any do.
        """
        own = [self.routes[name] for name in self.accounts.get(account, ())]
        every = self.routes.values()
        fallback = [route for route in every if route.fallback]
        groups = (
            [route for route in own if route.takes(kind)],
            [route for route in fallback if route.takes(kind)],
            own,
            every,
        )
        ways = (tuple(r.name for r in group if notifier in r.notifiers) for group in groups)
        return next(filter(None, ways), ())

    @staticmethod
    def _of(routes: Iterable[Route], kind: NoticeKind) -> tuple[str, ...]:
        fit = (route for route in routes if route.takes(kind))
        return tuple(dict.fromkeys(name for route in fit for name in route.notifiers))


def stable_id(notice: Notice) -> str:
    """What a receiver knows repetitions by: the same at every attempt; letters and digits only."""
    return f"msg_{sha256(notice.key.encode()).hexdigest()[:32]}"


def payload(notice: Notice, words: Words) -> dict[str, object]:
    """A notice for programs: closed words and numbers, beside what a person reads."""
    return {
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
