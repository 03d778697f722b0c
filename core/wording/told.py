"""A notice with all that its words are made of, and what lines of several kinds share. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core import spoken
from core.spoken import asked, instant, span

if TYPE_CHECKING:
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from core.model import Account, Notice

Spoken = tuple[str, "list[str]"]
"""What a notice says: the subject, and lines; an empty one is left out."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with all that its words are made of."""

    notice: Notice
    account: Account | None
    role: str | None
    zone: ZoneInfo
    now: datetime
    url: str | None

    def fact(self, name: str) -> str:
        value = dict(self.notice.facts).get(name)
        return "" if value is None else str(value)

    def at(self, name: str) -> datetime | None:
        text = self.fact(name)
        return datetime.fromisoformat(text) if text else None

    def when(self, at: datetime) -> str:
        return instant(at, self.zone)

    @property
    def title(self) -> str:
        """The account as people know it."""
        return self.account.title if self.account else self.notice.account

    @property
    def left(self) -> timedelta | None:
        """Until the deadline; negative when it has passed."""
        return self.notice.due_at - self.now if self.notice.due_at else None

    @property
    def asked(self) -> str | None:
        """What the marketplace asks for by a date of its own; None where a reply is waited for."""
        return asked(self.fact("promise"))

    @property
    def is_late(self) -> bool:
        left = self.left
        return left is not None and left.total_seconds() < 0

    @property
    def thread(self) -> str:
        """Account and thread as a command takes them."""
        words = (self.notice.account, self.notice.thread or "")
        return shlex.join(("--", *words) if words[1].startswith("-") else words)

    @property
    def answering(self) -> list[str]:
        """How the thread is answered where the notice leads to no page of it."""
        account = None if self.url else self.account
        return spoken.answering(account, self.thread, self.fact("waits_for"))


def deadline(told: Told) -> list[str]:
    due_at, left = told.notice.due_at, told.left
    if due_at is None or left is None:
        return []
    if told.is_late:
        return [f"The deadline was {told.when(due_at)}: late by {span(left)}."]
    return [f"{'Act' if told.asked else 'Reply'} by {told.when(due_at)}: {span(left)} left."]
