"""Given starts: the marketplace says since when a reply is needed, without saying until when.

Each reading is met in the scan at its `as_of`: it knows what came before and not what comes after,
so that one which is not later than the last counted stop says nothing about now. Its date belongs
to its waiting as a member, ``since:<date>``, so that the row stays the same when the message turns
up or the date moves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING

from sla.policy import Party, ThreadKind
from sla.turn import EARLIEST, Given, Kind, Level, covers
from sla.waitings import SAME, Start, in_force, voids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sla.turn import Moment, Turn
    from sla.waitings import Scan

PREFIX = "since:"
SAYS_ANSWERED = "marketplace_says_answered"

_Place = tuple[datetime, int, str, "Turn | Given"]


def since(date: datetime) -> str:
    """The member's id for a date that the marketplace gives."""
    return PREFIX + date.astimezone(UTC).isoformat()


class Dates:
    """The readings of one thread's given starts, and the turns that may explain them."""

    def __init__(self, readings: Sequence[Given], moments: Sequence[Moment]) -> None:
        self.asked = [(at, turn) for at, _, _, turn in moments if _asks(turn)]
        self._first_read: dict[str, datetime] = {}
        for reading in sorted(readings, key=lambda r: r.read_at):
            if reading.starts_at:
                self._first_read.setdefault(since(reading.starts_at), reading.read_at)
        self._line: list[_Place] = [*moments, *_places(readings)]
        self._line.sort(key=itemgetter(0, 1, 2))

    def read(self, scan: Scan) -> None:
        """Walk *scan* through turns and readings together, each at its own instant."""
        for at, _, _, item in self._line:
            if isinstance(item, Given):
                self.reading(scan, item)
            else:
                scan.turn(at, item)

    def reading(self, scan: Scan, reading: Given) -> None:
        """Let one reading have its effect on the promise."""
        if not reading.asks:
            _needs_nothing(scan, reading)
        elif reading.starts_at and self._concerns(scan.party, reading.starts_at):
            self._needs(scan, self._start(reading, reading.starts_at), reading)

    def _start(self, reading: Given, date: datetime) -> Start:
        """The date as a start; one that cannot be is the instant of the reading, and uncertain."""
        can_be = EARLIEST <= date <= reading.read_at
        at = date.astimezone(UTC) if can_be else reading.as_of
        name = since(date)
        return Start(at, name, self._first_read[name], reading.uncertain or not can_be, given=True)

    def _needs(self, scan: Scan, start: Start, reading: Given) -> None:
        start = _own(scan, start)
        waiting = scan.open
        if waiting is None:
            if not self._is_marked(scan, start):
                scan.ask(start)
            return
        waiting.flags.discard(SAYS_ANSWERED)
        if start.id in waiting.members:
            return
        if reading.kind == ThreadKind.INCIDENT:
            waiting.members.append(start.id)
        else:
            scan.ask(start)

    def _concerns(self, party: Party, date: datetime) -> bool:
        """Whether *party* is the one who waits: who wrote nearest; the buyer where nobody did."""
        near = [(abs(at - date), turn.party) for at, turn in self.asked if abs(at - date) <= SAME]
        if not near:
            return party is Party.BUYER
        nearest, _ = min(near)
        return (nearest, party) in near

    def _is_marked(self, scan: Scan, start: Start) -> bool:
        """Whether an earlier "no reply needed" covers the date, or the message behind it."""
        policy = in_force(scan.versions, start.at)
        behind = [(at, t.seen_at) for at, t in self.asked if abs(at - start.at) <= SAME]
        return any(
            covers(mark, made_at, at, seen_at)
            for made_at, mark in scan.marks
            if policy and voids(policy, mark.level)
            for at, seen_at in [(start.at, start.seen_at), *behind]
        )


def _places(readings: Sequence[Given]) -> Iterator[_Place]:
    """Where readings stand among the turns: one that asks before those of its instant, else after.

    One that no longer asks is left out where a newer one of the same instant asks again; of two
    that were read at once the one that asks stands.
    """
    by_age = sorted(readings, key=lambda r: (r.read_at, r.asks))
    newest = {(r.kind, r.act, r.as_of): r for r in by_age}
    for reading in readings:
        place = f"{since(reading.read_at)}{reading.act}{reading!r}"  # one order for any arrival
        if reading.asks:
            yield reading.as_of, -1, place, reading
        elif not newest[reading.kind, reading.act, reading.as_of].asks:
            yield reading.as_of, 3, place, reading


def _own(scan: Scan, start: Start) -> Start:
    """*start* under an id of its own, where its date belongs to a waiting that has ended."""
    if not any(start.id in done.members for done in scan.done):
        return start
    last = scan.done[-1]
    return start._replace(id=f"{start.id}/{last.stopped_by or last.stopped_at}")


def _needs_nothing(scan: Scan, reading: Given) -> None:
    waiting = scan.open
    if waiting is None:
        return
    if reading.kind == ThreadKind.INCIDENT:
        scan.answer(reading.as_of, None)
    elif all(start.given for start in waiting.counted):
        if reading.as_of > waiting.due_at:
            scan.close("late", reading.as_of, None)
        else:
            scan.open = None
    elif not any(made_at >= waiting.start.at for made_at, mark in scan.marks if _says(mark.level)):
        waiting.flags.add(SAYS_ANSWERED)


def _says(level: Level | None) -> bool:
    return level is not None and level is not Level.GUESSED


def _asks(turn: Turn) -> bool:
    return turn.party is not Party.SELLER and turn.kind in (Kind.MESSAGE, Kind.AUTOMATIC)
