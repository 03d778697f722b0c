"""One page of letters of a folder: which, in what order, in which portions.

What is asked is decided here; the connection's thread only asks it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeVar

from core.errors import BadPayload, ConnectorError
from core.transport import imap_position

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from core.transport.imap_client import Examined, Facts
    from core.transport.imap_position import Position
    from core.transport.imap_thread import Line

    Fetched = tuple[Facts, bytes, "Lack | None"]

T = TypeVar("T")

A_DAY = timedelta(days=1)
TRIES = 4
"""After so many connections that ended while a letter was fetched, it is told as unfetched."""

Lack = Literal["truncated", "unfetched"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes. A letter of more than *whole* bytes is fetched up to *begin* alone.

    *page* and *page_seconds* end a page early; *slice* is how long one IDLE lasts, *kept* how long
    a connection that nobody uses stays open, *courtesy* what to keep a sent letter may take.
    """

    connect: float = 10.0
    opening: float = 30.0
    answer: float = 30.0
    command: float = 45.0
    whole: int = 8 * 2**20
    begin: int = 2**20
    part: int = 2**18
    batch: int = 2 * 2**20
    page: int = 16 * 2**20
    page_seconds: float = 20.0
    slice: float = 8 * 60.0
    kept: float = 5 * 60.0
    courtesy: float = 10.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of a folder; *arrived_at* is the server's own date in UTC, None if unreadable.

    *size* is the server's. *raw* is all of it unless something *lack*s: ``truncated`` is the begin
    of a large one, ``unfetched`` is none that the server would give.
    """

    folder: str
    uidvalidity: int
    uid: int
    arrived_at: datetime | None
    size: int
    raw: bytes = field(repr=False)
    flags: frozenset[str] = frozenset()
    gm_msgid: str | None = None
    gm_thrid: str | None = None
    lack: Lack | None = None


@dataclass(frozen=True, slots=True)
class Letters:
    """One page, in the order of UIDs; *position* is where the next one begins."""

    letters: tuple[Letter, ...]
    position: str
    more: bool


@dataclass(slots=True)
class Reading:
    """What one read of a *folder* works with; *doubts* outlive it: who ended connections.

    *seen* is what the server said when it opened the folder; None: it is not open yet.
    """

    line: Line
    folder: str
    limits: Limits
    doubts: Counter[tuple[str, int, int]]
    seen: Examined | None = None
    _began: float = field(default_factory=monotonic)

    async def page(self, position: str | None, since: datetime, limit: int) -> Letters:
        """The letters from *position* on; those that arrived before *since* only count later."""
        if self.seen is None:
            self.seen = await self._ask(lambda: self.line.client.examine(self.folder))
        seen = self.seen
        place = imap_position.begun(position, seen)
        if place.first >= seen.uidnext:
            return Letters((), str(place.after(None)), more=False)
        uids = await self._search(place, since)
        chosen, rest = uids[:limit], uids[limit:]
        facts = await self._facts(place, chosen, since)
        letters, stopped_at = await self._fetched(place, facts)
        if stopped_at is not None:
            return Letters(tuple(letters), str(place.after(stopped_at)), more=True)
        onward = place.after(chosen[-1]) if chosen else place
        return Letters(tuple(letters), str(onward if rest else onward.after(None)), more=bool(rest))

    async def _search(self, place: Position, since: datetime) -> list[int]:
        # The server compares days in a zone of its own: one day more is asked, the instant decides.
        day = (since - A_DAY).date() if place.until else None
        return await self._ask(lambda: self.line.client.search(place.first, place.last, day))

    async def _facts(self, place: Position, uids: Sequence[int], since: datetime) -> list[Facts]:
        if not uids:
            return []
        facts = await self._ask(lambda: self.line.client.facts(uids))
        if not place.until:
            return facts
        return [each for each in facts if each.arrived_at is None or each.arrived_at >= since]

    async def _fetched(
        self, place: Position, facts: Sequence[Facts]
    ) -> tuple[list[Letter], int | None]:
        """The letters, and the last UID of them where it was enough for one page."""
        letters, got = list[Letter](), 0
        doubtful = [each.uid for each in facts if self._doubt(place, each.uid)]
        limits = self.limits
        for group in imap_position.batches(facts, limits.batch, limits.whole, doubtful):
            if letters and (got >= limits.page or monotonic() - self._began > limits.page_seconds):
                return letters, letters[-1].uid
            for each, raw, lack in await self._group(place, group):
                letters.append(self._letter(place, each, raw, lack))
                got += len(raw)
        return letters, None

    def _letter(self, place: Position, facts: Facts, raw: bytes, lack: Lack | None) -> Letter:
        return Letter(
            folder=self.folder,
            uidvalidity=place.uidvalidity,
            uid=facts.uid,
            arrived_at=facts.arrived_at,
            size=facts.size,
            raw=raw,
            flags=facts.flags,
            gm_msgid=facts.gm_msgid,
            gm_thrid=facts.gm_thrid,
            lack=lack,
        )

    async def _group(self, place: Position, group: Sequence[Facts]) -> list[Fetched]:
        """The letters of *group*; one that is gone is left out, one that is refused says so."""
        if len(group) == 1 and self._doubt(place, group[0].uid) >= TRIES:
            return [(group[0], b"", "unfetched")]
        try:
            found = await self._group_once(group)
        except BadPayload:
            if len(group) > 1:
                return [one for each in group for one in await self._group(place, [each])]
            found = await self._withheld(group[0])
        except ConnectorError:
            self.doubts.update(self._keys(place, group))
            raise
        for key in self._keys(place, group):
            self.doubts.pop(key, None)
        return found

    async def _group_once(self, group: Sequence[Facts]) -> list[Fetched]:
        if group[0].size > self.limits.whole:
            begin = await self._begin(group[0].uid)
            return [] if begin is None else [(group[0], begin, "truncated")]
        bodies = await self._ask(lambda: self.line.client.bodies([each.uid for each in group]))
        found: list[Fetched] = []
        for each in group:
            body = bodies.get(each.uid)
            found += [(each, body, None)] if body is not None else await self._withheld(each)
        return found

    async def _withheld(self, facts: Facts) -> list[Fetched]:
        """A letter that the server did not give: it says so if it is there, else it was removed.

        Dovecot shows what was removed meanwhile until the folder is opened again.
        """
        await self._ask(lambda: self.line.client.examine(self.folder))
        there = await self._ask(lambda: self.line.client.search(facts.uid, facts.uid))
        return [(facts, b"", "unfetched")] if there else []

    async def _begin(self, uid: int) -> bytes | None:
        """The header and what follows it of a large letter, in parts; None if it is gone."""
        parts = list[bytes]()
        for start in range(0, self.limits.begin, self.limits.part):
            part = await self._part(uid, start)
            if part is None and not parts:
                return None
            parts.append(part or b"")
            if len(parts[-1]) < self.limits.part:
                break
        return b"".join(parts)

    async def _part(self, uid: int, start: int) -> bytes | None:
        return await self._ask(lambda: self.line.client.part(uid, start, self.limits.part))

    def _doubt(self, place: Position, uid: int) -> int:
        return self.doubts[self.folder, place.uidvalidity, uid]

    def _keys(self, place: Position, group: Iterable[Facts]) -> list[tuple[str, int, int]]:
        return [(self.folder, place.uidvalidity, each.uid) for each in group]

    async def _ask(self, job: Callable[[], T]) -> T:
        return await self.line.run(job, self.limits.command)
