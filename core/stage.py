"""What the tests of a connector play on: the stage, the faults, what is expected of an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from core.errors import (
    BadCredentials,
    BadPayload,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from datetime import datetime

    from core.connector import Connector, Options, Spec
    from core.model import Message, Page, Thread

MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with every answer until it is lifted.

    ``status``: an error of *status* whose body repeats the stage's secrets, *retry_after* seconds
    in its header; without HTTP what comes nearest to it. ``slow``: no answer within a second.
    ``truncated``: JSON that stops, with the right length. ``missing``: the envelope lacks the field
    that holds the items. ``unreadable``: the first item lacks its id. ``duplicate``: items or pages
    come twice. ``drop``: the connection is cut without an answer.
    """

    kind: Literal["status", "slow", "truncated", "missing", "unreadable", "duplicate", "drop"]
    status: int = 500
    retry_after: int | None = None


class Stage(Protocol):
    """One account at a stand-in that is empty at first.

    *options* lead to it; *secrets* are the key and the words that buyers write: they may show up
    nowhere. Where a method returns something to wait for, it has done its work then.
    """

    @property
    def spec(self) -> Spec[Any]: ...
    @property
    def options(self) -> Options: ...
    @property
    def secrets(self) -> Sequence[str]: ...
    @property
    def now(self) -> datetime: ...

    def write(self, count: int = 1) -> Awaitable[None] | None:
        """As many buyers each write a first message, a second apart, before `now`."""

    def order(self, fault: Fault) -> Awaitable[None] | None:
        """Let this go wrong from now on, with every call."""

    def lift(self) -> Awaitable[None] | None:
        """Let all go well again."""


class Watch:
    """An `Observer` that remembers what would become a metric's label."""

    def __init__(self) -> None:
        self.labels: list[tuple[str, str]] = []

    def requested(self, operation: str, code: str, seconds: float) -> None:  # noqa: ARG002  # how long is no label
        """Remember it."""
        self.labels.append((operation, code))

    def retried(self, reason: str) -> None:
        """Remember it."""
        self.labels.append(("", reason))

    def dated(self, skew_seconds: float) -> None:
        """Nothing to remember."""


@dataclass(frozen=True, slots=True)
class Read:
    """All pages of one walk."""

    pages: tuple[Page, ...]

    @property
    def messages(self) -> dict[str, Message]:
        return {m.id: m for page in self.pages for m in page.messages}

    @property
    def threads(self) -> dict[str, Thread]:
        return {t.id: t for page in self.pages for t in page.threads}

    @property
    def cursor(self) -> str | None:
        return self.pages[-1].cursor


async def walk(connector: Connector, stream: str, cursor: str | None, now: datetime) -> Read:
    """All pages of one walk."""
    pages: list[Page] = []
    position: str | None = None
    while True:
        page = await connector.fetch(stream, cursor, position, now)
        pages.append(page)
        if not page.more:
            return Read(tuple(pages))
        if page.position in {None, position} or len(pages) >= MOST_PAGES:
            raise AssertionError("the walk does not go on, or does not end")
        position = page.position


def error_of(status: int) -> type[ConnectorError]:
    """What a question becomes that is answered with this status."""
    if status in {401, 403}:
        return BadCredentials
    if status == 429:
        return RateLimited
    if 400 <= status < 500 and status not in {407, 408, 425}:
        return BadPayload
    return Unreachable


def outcome_of(fault: Fault) -> type[ConnectorError]:
    """What a reply becomes that is answered like this: only a 4xx is a certain no."""
    if fault.kind != "status" or fault.status == 408 or not 400 <= fault.status < 500:
        return OutcomeUnknown
    error = error_of(fault.status)
    return Refused if fault.status == 425 or error is BadPayload else error
