"""What is told to people: facts, told once, and their way to each notifier."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


PushTrouble = Literal[
    "destination_missing", "destination_disabled", "destination_down",
    "subscription_missing", "subscription_disabled", "secret_differs",
]  # fmt: skip
"""Why no push can arrive, as the marketplace tells: our address is not registered there, switched
off, or marked down after failures; what we want is not subscribed to, or switched off; or what
comes is signed with another secret than ours, and refused."""

TROUBLES: Mapping[str, str] = MappingProxyType(
    {
        "destination_missing": "Our address for pushes is not registered there",
        "destination_disabled": "Our address for pushes is switched off there",
        "destination_down": "Our address for pushes was marked down there after failures",
        "subscription_missing": "What should be pushed is not subscribed to",
        "subscription_disabled": "A subscription to what should be pushed is switched off",
        "secret_differs": "What is pushed is signed with another secret than ours, and refused",
    }
)
"""How each is said."""

ERASED = "erased"
"""Why a reply was refused that was for a member who was erased: nobody is told, nobody waits."""
NAMES_ERASED = "names_erased"
"""Why a reply was refused that named a member who was erased, and was for somebody else."""

REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "bad_credentials": "the marketplace no longer accepts our key",
        "rate_limited": "the marketplace kept asking us to wait",
        "cannot_reply": "this account cannot answer from here",
        NAMES_ERASED: "it names somebody who was erased meanwhile, and did not leave",
    }
)
"""How it is said why a reply was refused; of any other reason: the marketplace refused it."""

ANSWERS: Mapping[str, str] = MappingProxyType(
    {
        "bad_credentials": "answer at the marketplace; from here once the key or the seller's "
        "consent is renewed: replyby check tells which",
        "cannot_reply": "answer at the marketplace",
        NAMES_ERASED: "answer again, without the name",
    }
)
"""What to do then; for any other reason: answer again, at the marketplace if it refuses this."""


class NoticeKind(StrEnum):
    """What can be told to a person."""

    WARNING = "warning"
    BREACH = "breach"
    CORRECTED = "corrected"
    ESCALATION = "escalation"
    ANSWERED = "answered"
    REPLY_REFUSED = "reply_refused"
    REPLY_UNKNOWN = "reply_unknown"
    DEADLINE_MOVED = "deadline_moved"
    HISTORY_SUMMARY = "history_summary"
    BLIND = "blind"
    ACCOUNT_DOWN = "account_down"
    ACCOUNT_UP = "account_up"
    PUSH_SILENT = "push_silent"
    PUSH_HEARD = "push_heard"
    FLOODED = "flooded"
    CREDENTIAL_EXPIRING = "credential_expiring"
    POLICY_REVIEW = "policy_review"
    PAYLOAD_SET_ASIDE = "payload_set_aside"
    ACCOUNT_RETIRED = "account_retired"
    DISK_LOW = "disk_low"
    DISK_FREED = "disk_freed"
    DIGEST = "digest"
    PARKED = "parked"
    TEST = "test"


OPENING = frozenset({
    NoticeKind.WARNING, NoticeKind.BREACH, NoticeKind.ESCALATION, NoticeKind.DEADLINE_MOVED,
    NoticeKind.REPLY_REFUSED,
})  # fmt: skip
"""What is told of a clock that runs: where the receiver keeps such things, it stands open there."""
CLOSING = frozenset({NoticeKind.ANSWERED, NoticeKind.CORRECTED})
"""What is told of a clock when nothing is to be done about it any more."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact told once: *key* is unique for ever. *facts* are numbers and closed words only.

    `facts` never holds a buyer's name, address or text; `core.words` says which each kind has.
    """

    key: str
    kind: NoticeKind
    account: str
    raised_at: datetime
    thread: str | None = None
    clock: int | None = None
    due_at: datetime | None = None
    facts: tuple[tuple[str, str | int | float | bool | None], ...] = ()
    id: int | None = None


MuteScope = Literal["account", "route"]


@dataclass(frozen=True, slots=True)
class Mute:
    """An account, or a route, of which nothing leaves from *since* to *until*; every clock runs on.

    *by* is who said so, *reason* in their own words why; *ended_at* is when it ended, which may be
    before *until*; None: it was not written down that it has.
    """

    id: int
    scope: MuteScope
    name: str
    since: datetime
    until: datetime
    by: str
    reason: str | None = None
    ended_at: datetime | None = None

    @property
    def end(self) -> datetime:
        """When it ends, or has ended."""
        return self.ended_at or self.until


@dataclass(frozen=True, slots=True)
class Muted:
    """What a notifier was not told because of *mute*: of that so much has *dropped* since.

    It was no longer true; *missed* of it were breaches, which are counted all the same.
    """

    mute: Mute
    dropped: int
    missed: int


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One notice to one notifier.

    *digest* names what it leaves together with; *url* is the marketplace's page of the thread;
    *muted* is said in a digest of what a mute held back; *ways* are by what it came, where that is
    more than the routes of its account and kind (`core.routing.Way`).
    """

    notice: Notice
    notifier: str
    attempts: int
    next_try_at: datetime
    sent_at: datetime | None = None
    parked_reason: str | None = None
    error: str | None = None
    digest: str | None = None
    url: str | None = None
    muted: Muted | None = None
    ways: tuple[str, ...] = ()
