"""Letters on their way into mailboxes: each arrives at its instant, unless something is ordered."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.sandbox.mail import Mail

SHORTEST_NAP, LONGEST_NAP = 0.02, 0.2
INBOX, JUNK, SENT = "INBOX", "Junk", "Sent"

Arrived = Callable[[datetime], bytes]
"""A letter as it lies in its mailbox when it arrives then: servers write above it."""


class Due(NamedTuple):
    """A letter that arrives *at*; *number* keeps the order of those at one instant."""

    at: datetime
    number: int
    user: str
    message_id: str
    arrived: Arrived
    folder: str


class Lying(NamedTuple):
    """Where a letter lies."""

    user: str
    folder: str
    uid: int


@dataclass(slots=True)
class Post:
    """What has not arrived yet, and where lies what has.

    *is_held*: nothing arrives until `release`; *twice*: so many of the next letters come twice.
    *most*: so many letters lie there at most, the oldest are taken out.
    """

    mail: Mail
    clock: Callable[[], datetime]
    is_held: bool = False
    twice: int = 0
    most: int | None = None
    lying: dict[str, list[Lying]] = field(default_factory=dict)
    _due: list[Due] = field(default_factory=list)
    _dropped: list[str] = field(default_factory=list)
    _count: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def waiting(self) -> int:
        """How many letters are on their way."""
        return len(self._due)

    def send(
        self, user: str, message_id: str, arrived: Arrived, at: datetime, folder: str = INBOX
    ) -> None:
        """Let a letter to *user* arrive *at*."""
        for _ in range(2 if self.twice > 0 else 1):
            self._count += 1
            heapq.heappush(self._due, Due(at, self._count, user, message_id, arrived, folder))
        self.twice = max(0, self.twice - 1)
        self._news.set()

    def drop(self, message_ids: Iterable[str]) -> None:
        """Take these letters out of their mailboxes."""
        self._dropped += message_ids
        self._news.set()

    def release(self) -> None:
        """Let what was held arrive now: its own date is the old one."""
        now = self.clock()
        self._due = [due._replace(at=max(due.at, now)) for due in self._due]
        heapq.heapify(self._due)
        self.is_held = False
        self._news.set()

    async def deliver(self) -> int:
        """Let arrive what is due; how many letters did."""
        async with self._turn:
            await self._remove()
            arrived = 0
            while not self.is_held and self._due and self._due[0].at <= self.clock():
                await self._arrive(heapq.heappop(self._due))
                arrived += 1
            if self.most is not None:
                self._dropped += list(self.lying)[: max(0, len(self.lying) - self.most)]
                await self._remove()
            return arrived

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._news.clear()
            await self.deliver()
            try:
                async with asyncio.timeout(self._nap()):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _arrive(self, due: Due) -> None:
        uid = await self.mail.deliver(due.user, due.arrived(due.at), due.at, due.folder)
        self.lying.setdefault(due.message_id, []).append(Lying(due.user, due.folder, uid))

    async def _remove(self) -> None:
        while self._dropped:
            for user, folder, uid in self.lying.pop(self._dropped.pop(), []):
                await self.mail.expunge(user, folder, uid)

    def _nap(self) -> float:
        if not self._due or self.is_held:
            return LONGEST_NAP
        ahead = (self._due[0].at - self.clock()) / timedelta(seconds=1)
        return min(max(ahead, SHORTEST_NAP), LONGEST_NAP)
