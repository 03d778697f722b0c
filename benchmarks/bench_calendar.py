"""Working time: our calendar beside businesstimedelta, in one process, on the same instants.

Mon-Fri 09:00-18:00, Europe/Berlin, the public holidays of Berlin. Both answer the same questions
and their answers are compared; the peer is handed its own kind of instants, so that no conversion
is counted.
"""

from __future__ import annotations

import gc
import random
from datetime import UTC, date, datetime, time, timedelta
from time import process_time
from typing import TYPE_CHECKING, Any

import businesstimedelta
import holidays
import pytz

from benchmarks.harness import QUICK, ROUNDS, SIZES, Growth, Row, growth, heading, table
from sla.calendar import Calendar, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ZONE = "Europe/Berlin"
YEARS = range(2024, 2036)
EIGHT = timedelta(hours=8)
FROM = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 700
OURS, THEIRS = (20_000, 100) if QUICK else (100_000, 1_000)


def main() -> None:
    free = holidays.country_holidays("DE", subdiv="BE", years=YEARS)
    ours, theirs = open_hours(frozenset(free)), _rules(free)
    draw = random.Random(5)
    starts = [FROM + timedelta(seconds=draw.randrange(DAYS * 86_400)) for _ in range(OURS)]
    ends = [start + timedelta(seconds=draw.randint(60, 5 * 86_400)) for start in starts]
    heading("Calendar")
    print(f"{OURS:,} instants of {DAYS} days for ours, the first {THEIRS:,} of them for theirs.\n")
    table(_compared(ours, theirs, starts, ends), "calendar")
    if not QUICK:
        print()
        growth(_growth(frozenset(free), theirs, starts), "calendar")


def open_hours(free: frozenset[date]) -> Calendar:
    office = (Span(time(9), time(18)),)
    return Calendar(ZONE, dict.fromkeys(range(5), office), {}, free)


def _rules(free: holidays.HolidayBase) -> businesstimedelta.Rules:
    zone = pytz.timezone(ZONE)
    office = businesstimedelta.WorkDayRule(
        start_time=time(9), end_time=time(18), working_days=list(range(5)), tz=zone
    )
    return businesstimedelta.Rules([office, businesstimedelta.HolidayRule(free, tz=zone)])


def _compared(
    ours: Calendar,
    theirs: businesstimedelta.Rules,
    starts: Sequence[datetime],
    ends: Sequence[datetime],
) -> list[Row]:
    eight = businesstimedelta.BusinessTimeDelta(theirs, seconds=EIGHT.total_seconds())
    zone = pytz.timezone(ZONE)
    local = [start.astimezone(zone) for start in starts[:THEIRS]]
    spans = list(zip(local, (end.astimezone(zone) for end in ends), strict=False))
    ours.add(starts[0], EIGHT)
    add = _rounds(
        lambda: [ours.add(start, EIGHT) for start in starts],
        lambda: [start + eight for start in local],
    )
    elapsed = _rounds(
        lambda: [ours.elapsed(a, b) for a, b in zip(starts, ends, strict=True)],
        lambda: [theirs.difference(a, b).timedelta for a, b in spans],
    )
    return [*_rows("add 8 hours", add, ">= 300"), *_rows("elapsed, up to 5 days", elapsed)]


def _rounds(
    ours: Callable[[], list[Any]], theirs: Callable[[], list[Any]]
) -> list[tuple[float, float, int]]:
    """Seconds an answer of ours, of theirs, and how many differ, for each round."""
    found = []
    for _ in range(ROUNDS):
        our_seconds, answers = _timed(ours)
        their_seconds, expected = _timed(theirs)
        wrong = sum(a != b for a, b in zip(answers, expected, strict=False))
        found.append((our_seconds, their_seconds, wrong))
    return found


def _timed(ask: Callable[[], list[Any]]) -> tuple[float, list[Any]]:
    gc.collect()
    begun = process_time()
    answers = ask()
    return (process_time() - begun) / len(answers), answers


def _rows(what: str, found: Sequence[tuple[float, float, int]], goal: str = "") -> list[Row]:
    return [
        Row(f"{what}: times businesstimedelta", [theirs / ours for ours, theirs, _ in found], goal),
        Row(f"{what}: ours, µs", [ours * 1e6 for ours, _, _ in found]),
        Row(f"{what}: businesstimedelta, µs", [theirs * 1e6 for _, theirs, _ in found]),
        Row(f"{what}: answers that differ", [wrong for _, _, wrong in found], "<= 0"),
    ]


def _growth(
    free: frozenset[date], theirs: businesstimedelta.Rules, starts: Sequence[datetime]
) -> list[Growth]:
    spans = [EIGHT * size for size in SIZES]
    ours = open_hours(free)
    zone = pytz.timezone(ZONE)
    local = [start.astimezone(zone) for start in starts[:THEIRS]]
    return [
        Growth("add 0.8, 8, 80 hours: ours, µs", [_add(ours, starts, span) for span in spans]),
        Growth("the same: businesstimedelta, µs", [_their_add(theirs, local, s) for s in spans]),
        Growth(
            "add 8 hours, a table of 3, 23, 203 years, µs",
            [_add(_covering(free, years), starts, EIGHT) for years in (0, 10, 100)],
        ),
        Growth("making that table, ms", [_laying_out(free, years) for years in (0, 10, 100)]),
    ]


def _add(calendar: Calendar, starts: Sequence[datetime], span: timedelta) -> float:
    calendar.add(starts[0], span)
    return _timed(lambda: [calendar.add(start, span) for start in starts])[0] * 1e6


def _their_add(
    rules: businesstimedelta.Rules, starts: Sequence[datetime], span: timedelta
) -> float:
    delta = businesstimedelta.BusinessTimeDelta(rules, seconds=span.total_seconds())
    return _timed(lambda: [start + delta for start in starts])[0] * 1e6


def _covering(free: frozenset[date], years: int) -> Calendar:
    """A calendar of its own that has been asked about so many years before and after."""
    calendar = open_hours(free | {date(1900, 1, 1 + years % 28)})
    calendar.elapsed(FROM.replace(year=FROM.year - years), FROM.replace(year=FROM.year + years))
    return calendar


def _laying_out(free: frozenset[date], years: int) -> float:
    gc.collect()
    begun = process_time()
    _covering(free, years)
    return (process_time() - begun) * 1e3


if __name__ == "__main__":
    main()
