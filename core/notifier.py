"""How a person is told: one coroutine, which returns or raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.model import Notice, NoticeKind


@dataclass(frozen=True, slots=True)
class Words:
    """A notice as a reader sees it: a line, a few lines more, and where to look.

    No buyer's name, address or text; instants in the reader's zone.
    """

    subject: str
    text: str
    url: str | None


class Notifier(Protocol):
    """A way of sending. *name* is the key in the settings and the metric label."""

    @property
    def name(self) -> str: ...

    async def send(self, notice: Notice, words: Words) -> None:
        """Deliver, or raise `NotifierError`. May be called again for the same `notice.key`."""


@dataclass(frozen=True, slots=True)
class Route:
    """Which kinds of notices go to which notifiers; an empty *kinds* means all."""

    name: str
    notifiers: tuple[str, ...]
    kinds: frozenset[NoticeKind] = frozenset()
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Routing:
    """Who is told what: the account's own routes, else the fallback."""

    routes: Mapping[str, Route]
    accounts: Mapping[str, tuple[str, ...]]

    def notifiers(self, account: str, kind: NoticeKind) -> tuple[str, ...]:
        """The notifiers for a notice, each once, in the order of the settings."""
        own = [self.routes[name] for name in self.accounts.get(account, ())]
        taken = self._of(own, kind)
        return taken or self._of((r for r in self.routes.values() if r.fallback), kind)

    @staticmethod
    def _of(routes: Iterable[Route], kind: NoticeKind) -> tuple[str, ...]:
        fit = (r for r in routes if not r.kinds or kind in r.kinds)
        return tuple(dict.fromkeys(name for route in fit for name in route.notifiers))
