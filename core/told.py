"""What is told to people: facts, told once, and their way to each notifier."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class NoticeKind(StrEnum):
    """What can be told to a person."""

    WARNING = "warning"
    BREACH = "breach"
    CORRECTED = "corrected"
    REPLY_REFUSED = "reply_refused"
    REPLY_UNKNOWN = "reply_unknown"
    DEADLINE_MOVED = "deadline_moved"
    HISTORY_SUMMARY = "history_summary"
    BLIND = "blind"
    ACCOUNT_DOWN = "account_down"
    ACCOUNT_UP = "account_up"
    PUSH_SILENT = "push_silent"
    CREDENTIAL_EXPIRING = "credential_expiring"
    POLICY_REVIEW = "policy_review"
    PAYLOAD_SET_ASIDE = "payload_set_aside"
    ACCOUNT_RETIRED = "account_retired"
    DIGEST = "digest"
    PARKED = "parked"
    TEST = "test"


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


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One notice to one notifier.

    *digest* names what it leaves together with; *url* is the marketplace's page of the thread.
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
