"""The running clocks as they were counted last, and what became of all: from the tally."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import labels
from core.instruments import ACCOUNT
from core.measuring.facts import Clocks
from core.measuring.sections import DEADLINES
from core.measuring.written import Room, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.measuring.facts import Counted
    from core.measuring.written import Families, Sample

CLOCK = (*ACCOUNT, "clock")

OPEN = DEADLINES.family(
    "open_clocks", "gauge", (*ACCOUNT, "band"), "Reply clocks that run, by risk."
)
NEXT = DEADLINES.family(
    "next_deadline_timestamp_seconds", "gauge", ACCOUNT,
    "The earliest deadline among running clocks; +Inf when none runs.",
)  # fmt: skip
OLDEST = DEADLINES.family(
    "oldest_unanswered_timestamp_seconds", "gauge", ACCOUNT,
    "The oldest buyer's message without a reply; +Inf when there is none.",
)  # fmt: skip
COUNTED = DEADLINES.family(
    "open_clocks_counted_timestamp_seconds", "gauge", (),
    "When the running clocks were last counted; 0: not yet.",
)  # fmt: skip
STARTED = DEADLINES.family("clocks_started_total", "counter", CLOCK, "Clocks that started.")
CLOSED = DEADLINES.family(
    "clocks_closed_total", "counter", (*CLOCK, "result"),
    "Clocks answered in time, deadlines that passed unanswered, clocks that needed no reply.",
)  # fmt: skip
LATE = DEADLINES.family("replies_late_total", "counter", ACCOUNT, "Replies after the deadline.")
CORRECTED = DEADLINES.family(
    "clocks_corrected_total", "counter", CLOCK, "Counted breaches taken back."
)
REOPENED = DEADLINES.family(
    "clocks_reopened_total", "counter", CLOCK, "Clocks that ended and run again."
)  # fmt: skip
HISTORY = DEADLINES.family(
    "clocks_history_total", "counter", CLOCK, "Clocks due before the account was watched."
)


def _shown(seen: Seen) -> Families:
    yield from _running(seen.snapshot.counted, seen.places)
    yield from _counted(seen)


def _running(counted: Counted, places: Mapping[str, str]) -> Families:
    """Nothing of clocks that were never counted: a 0 would be a lie."""
    none, known = Clocks(), places.items() if counted.at else ()
    clocks = [(place, counted.clocks.get(a, none)) for a, place in known]
    yield COUNTED, [("", counted.at)]
    yield (
        OPEN,
        [
            (f'{place},band="{band}"', count)
            for place, found in clocks
            for band, count in zip(labels.BANDS, found.bands, strict=True)
        ],
    )
    yield NEXT, [(place, found.next_deadline) for place, found in clocks]
    yield OLDEST, [(place, found.oldest_unanswered) for place, found in clocks]


def _counted(seen: Seen) -> Families:
    """Every combination at 0 from the start."""
    plain = (
        (STARTED, "started"), (CORRECTED, "corrected"), (REOPENED, "reopened"),
        (HISTORY, "history"),
    )  # fmt: skip
    for family, result in plain:
        yield family, list(_of(seen, result, ""))
    yield (
        CLOSED,
        [one for result in labels.CLOSED for one in _of(seen, result, f',result="{result}"')],
    )
    late = [seen.snapshot.counts.get((clock, "late"), {}) for clock in labels.CLOCKS]
    yield LATE, [(place, sum(n.get(a, 0) for n in late)) for a, place in seen.places.items()]


def _of(seen: Seen, result: str, more: str) -> Iterator[Sample]:
    """One result of the clocks of each kind and account; *more* are further labels."""
    for clock in labels.CLOCKS:
        counts = seen.snapshot.counts.get((clock, result), {})
        for account, place in seen.places.items():
            yield f'{place},clock="{clock}"{more}', counts.get(account, 0)


ROOM = Room(
    (OPEN, NEXT, OLDEST, COUNTED, STARTED, CLOSED, LATE, CORRECTED, REOPENED, HISTORY), _shown
)
