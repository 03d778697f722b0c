"""The metrics that are read from the database at a scrape, and what the settings promise.

Every process shows the same numbers here: rules take `max by`, never `sum`. The running clocks are
shown as they were counted last, with the instant of that: their bands hold for it. With a lost
database what is left is `replyby_database_up 0` and what needs none.

To add families: a module beside this one with its `Family` constants (made by `Section.family` of
`core.measuring.sections`, or of a section of its own) and a `Room` of them; what it shows is a
field of `facts.Snapshot`; one word in `ROOMS` below. The page of metrics follows by itself.
What a process counts is added in `core.metrics`, see there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.instruments import Source
from core.measuring import (
    accounts,
    aside,
    boards,
    climbing,
    clocks,
    contracts,
    engine,
    muted,
    outbox,
    promised,
    replies,
)
from core.measuring.facts import Snapshot
from core.measuring.sections import ENGINE
from core.measuring.written import Seen, lines, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.instruments import AccountGauge
    from core.measuring.facts import Names, Promised

ROOMS = (
    promised.ROOM,
    clocks.ROOM,
    accounts.ROOM,
    contracts.ROOM,
    aside.ROOM,
    replies.ROOM,
    outbox.ROOM,
    muted.ROOM,
    climbing.ROOM,
    boards.ROOM,
    engine.ROOM,
)
"""Where families are joined: add a room here."""

DATABASE = ENGINE.family(
    "database_up", "gauge", (), "1 when the database answered this scrape.", Source.PROCESS
)
FAMILIES = (*(family for room in ROOMS for family in room.families), DATABASE)


def write(
    names: Names,
    promised: Promised,
    gauges: Iterable[AccountGauge],
    snapshot: Snapshot | None,
    *,
    open_metrics: bool,
) -> Iterator[str]:
    """The exposition of what is stored, family by family: of many accounts each is a megabyte.

    A *snapshot* of None says that the database is away.
    """
    seen = Seen(names, promised, tuple(gauges), snapshot or Snapshot(), places(names))
    up = [("", float(snapshot is not None))]
    yield "".join(lines(DATABASE, up, open_metrics=open_metrics))
    for room in ROOMS:
        if snapshot is not None or not room.needs_database:
            for family, samples in room.samples(seen):
                yield "".join(lines(family, samples, open_metrics=open_metrics))
