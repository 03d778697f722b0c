"""What a push is made of: the request as it came, and what a connector found in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from core.model import Page
    from core.options import Options


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A signed request as it came in: raw bytes, header names in lower case, the full path.

    *accounts* are the options of this connector's accounts by name: one address may receive what
    concerns several of them.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    accounts: Mapping[str, Options] = field(default_factory=dict)


PushOutcome = Literal[
    "stored",
    "duplicate",
    "challenge",
    "no_challenge",
    "erasure",
    "unknown_topic",
    "unknown_account",
    "not_ready",
    "bad_signature",
    "no_signature",
    "unverified",
    "stale",
    "too_large",
    "too_slow",
    "crowded",
    "unreadable",
    "failed",
]
"""What became of a push; the metric label. What is no 2xx is refused, and stored nowhere."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Which push it was, as the marketplace names it: a second one of the same *id* is dropped.

    *topic* is of the connector's closed list (`Spec.topics`); *published_at* is when it was first
    sent.
    """

    id: str
    topic: str
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person whose data goes everywhere, by whatever the marketplace calls them by.

    *ids* are names, user ids and opaque ids alike; they are compared, never shown.
    """

    ids: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What to answer, and what was in the request: one may concern several accounts, or none.

    *pages* are stored before the answer leaves; *wake* names accounts whose poll is pulled
    forward; *erase* names members whose data goes from all accounts of this connector, or from
    those of *erase_in* alone.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pages: Mapping[str, Page] = field(default_factory=dict)
    wake: frozenset[str] = frozenset()
    erase: tuple[Member, ...] = ()
    erase_in: frozenset[str] = frozenset()
    pushed: Pushed | None = None
    outcome: PushOutcome = "stored"


@runtime_checkable
class Subscribes(Protocol):
    """Can set up there what is pushed, and to where."""

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Register our address and subscribe; a line for each thing that stands, when it does.

        *contact* is an address of mail for the marketplace's alerts about pushes, where it wants
        one. May be done again at any time.

        Raises:
            Mistaken: the settings, or what was asked for, lack something.
            ConnectorError: the marketplace refused a step; those before it stand.
        """
        ...


@runtime_checkable
class Receives(Protocol):
    """Takes signed pushes at ``/push/<connector>/<name>``."""

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check the signature over the raw bytes and translate; stores nothing itself."""
        ...
