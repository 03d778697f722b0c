"""How often pushes about an account come, and from when their silence is no chance any more. Pure.

Time is cut into slots of five minutes: one with a push, one in which we listened and none came, or
one in which we did not listen, of which nobody knows anything. How often a slot has a push is
learnt by hour of the week in the account's own zone: nights and weekends are as quiet as they are.

Silence is told once it would be chance less than once in ten years of such an account, even if
buyers came half as often as they did (`SLACK`). Whatever is not known makes it later, never sooner:
an hour of the week counts as its quietest neighbour (which bridges a change to summer time too), a
short record weighs less than a long one, and who chats an hour and then sleeps for three has fewer
reasons to be heard than slots with a push (`Rhythm.bunched`). A holiday is as quiet as the quietest
day of the week; where no calendar says which days those are, any two days in a row may be so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from math import log
from typing import TYPE_CHECKING, NamedTuple

from core.model import LONGEST_SILENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

SLOT = timedelta(minutes=5)
SLOTS = 12
"""Slots in an hour: the bits of a number, that of its first minutes is 1."""
ALL = (1 << SLOTS) - 1
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
A_DAY, A_WEEK = 24, 168

LEARNT_FROM = 8 * WEEK
SHORTEST_RECORD = 2 * WEEK
"""From its first push on; before that nobody knows what a weekend is like."""
LISTENED_SHARE = 0.8
"""Of that record in which we listened, at least."""
FEWEST = 20
"""Slots with a push, at least: what comes more seldom has no usual rate."""

HALF_A_YEAR = 26
FALSE = 0.05
"""False notices in half a year of 26 weeks, by design: one in ten years."""
SLACK = 0.5
A_DAY_ADDS = 0.4
"""Of what is beyond chance, so much at most comes of one day, where holidays are not known: beside
what even the quietest day of the week would add."""
ENOUGH = 20
"""So many pushes of three hours tell which of them is the quietest."""
FEW = 10.0
"""So many pushes are to be expected after an hour's silence before their absence says anything."""
SOONEST = HOUR
"""No silence is told before, however busy the account is: a platform sends again after minutes."""


@dataclass(frozen=True, slots=True)
class Week:
    """How an account's week goes: in which *zone*, and which days are closed besides.

    *is_told*: public holidays are among the *holidays*; else any day may be one.
    """

    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()
    is_told: bool = False

    def hour(self, at: datetime) -> int:
        """The hour of the week, Monday's first is 0."""
        local = at.astimezone(self.zone)
        return local.weekday() * A_DAY + local.hour


@dataclass(frozen=True)
class Rhythm:
    """How many slots of each hour of the week had a push, of how many in which we listened.

    *record* is how long ago the first of them was. *bunched* says how many pushes came after an
    hour's silence, for each that would have if they came one by one; 1: they do.
    """

    heard: tuple[int, ...]
    listened: tuple[int, ...]
    record: timedelta
    bunched: float = 1.0

    @property
    def is_known(self) -> bool:
        """Whether enough was seen to call anything usual."""
        shortest = SHORTEST_RECORD / SLOT * LISTENED_SHARE
        is_long = self.record >= SHORTEST_RECORD and sum(self.listened) >= shortest
        return is_long and sum(self.heard) >= FEWEST

    @cached_property
    def a_week(self) -> float:
        """How many slots of a usual week have a push."""
        pairs = zip(self.heard, self.listened, strict=True)
        return sum(SLOTS * heard / listened for heard, listened in pairs if listened)

    @cached_property
    def beyond_chance(self) -> float:
        """How improbable (-ln p) a silence must be: so many begin in half a year."""
        return log(max(1.0, self.a_week * HALF_A_YEAR) / FALSE)

    @cached_property
    def usual(self) -> tuple[Seen, ...]:
        """By hour of the week what it is judged by: the quietest hour around it.

        Where those have too few pushes to say which that is, all of them together.
        """
        hours = [Seen(*both) for both in zip(self.heard, self.listened, strict=True)]
        around = ([hours[h], hours[h - 1], hours[(h + 1) % A_WEEK]] for h in range(A_WEEK))
        return tuple(_quietest(near) for near in around)

    @cached_property
    def quietest(self) -> tuple[Seen, ...]:
        """The same, of all days of the week the quietest."""
        days = (self.usual[h % A_DAY :: A_DAY] for h in range(A_WEEK))
        return tuple(min(same, key=lambda seen: seen.rate) for same in days)

    def one_more(self, seen: Seen, n: int) -> float:
        """How much more improbable (-ln p) silence is with the *n*-th silent slot of such hours.

        By the beta distribution of a rate that was seen in so many slots, and in no more.
        """
        if not seen.heard:
            return 0.0
        quiet = seen.listened - seen.heard
        return SLACK * self.bunched * log((seen.listened + n) / (quiet + n))


class Seen(NamedTuple):
    """So many slots with a push, of so many in which we listened."""

    heard: int
    listened: int

    @property
    def rate(self) -> float:
        """The share that has a push."""
        return self.heard / self.listened if self.listened else 0.0


def _quietest(near: Sequence[Seen]) -> Seen:
    heard = sum(seen.heard for seen in near)
    if heard < ENOUGH and all(seen.listened for seen in near):
        return Seen(heard, sum(seen.listened for seen in near))
    return min(near, key=lambda seen: seen.rate)


def floor(at: datetime, to: timedelta = SLOT) -> datetime:
    """The begin of the slot (or the hour) of *at*."""
    return at - (at - datetime.min.replace(tzinfo=UTC)) % to


def bit(at: datetime) -> int:
    """The slot of *at*, among those of its hour."""
    return 1 << at.minute // 5


def masks(begin: datetime, end: datetime) -> dict[datetime, int]:
    """The slots that lie whole between two instants, by hour."""
    found: dict[datetime, int] = {}
    at = floor(begin - timedelta(microseconds=1)) + SLOT
    while at + SLOT <= end:
        hour = floor(at, HOUR)
        found[hour] = found.get(hour, 0) | bit(at)
        at += SLOT
    return found


def learnt(
    heard: Mapping[datetime, int], listened: Mapping[datetime, int], week: Week, until: datetime
) -> Rhythm:
    """What is usual, from the hours before that of *until*: not more than `LEARNT_FROM` of them.

    *heard* and *listened* are slots by the hour in which they lie. Holidays teach nothing.
    """
    end = floor(until, HOUR)
    first = min((hour for hour in heard if hour < end), default=end)
    begin = max(first, end - LEARNT_FROM)
    had, all_, ordinary = [0] * A_WEEK, [0] * A_WEEK, list[_Hour]()
    for hour in sorted(hour for hour in listened if begin <= hour < end):
        if hour.astimezone(week.zone).date() not in week.holidays:
            one = _Hour(hour, week.hour(hour), listened[hour], heard.get(hour, 0) & listened[hour])
            ordinary.append(one)
            all_[one.place] += one.listened.bit_count()
            had[one.place] += one.heard.bit_count()
    plain = Rhythm(tuple(had), tuple(all_), end - begin)
    return replace(plain, bunched=_bunched(plain, ordinary))


class _Hour(NamedTuple):
    """An hour with its *place* in the week, and its slots."""

    begin: datetime
    place: int
    listened: int
    heard: int


def _bunched(rhythm: Rhythm, hours: Iterable[_Hour]) -> float:
    """Pushes that came after an hour's silence, to those that were to be expected then."""
    rates = [Seen(*both).rate for both in zip(rhythm.heard, rhythm.listened, strict=True)]
    came, expected, silent, after = 0, 0.0, 0, None
    for hour in hours:
        silent = silent if hour.begin == after else 0
        after = hour.begin + HOUR
        for slot in (1 << i for i in range(SLOTS)):
            has_push = bool(hour.heard & slot)
            if silent >= SLOTS and hour.listened & slot:
                expected += rates[hour.place]
                came += has_push
            silent = silent + 1 if hour.listened & slot and not has_push else 0
    return min(1.0, (came + FEW) / (expected + FEW))


def silent_from(
    rhythm: Rhythm, week: Week, since: datetime, listened: Mapping[datetime, int], now: datetime
) -> datetime | None:
    """The instant from which silence since the push at *since* is to be told; None: there is none.

    What lies ahead of *now* is taken as listened to: later, if it will not be.
    """
    if not rhythm.is_known:
        return None
    doubt = _Doubt(rhythm, week)
    for n, at in enumerate(_silent(since, listened, now, LONGEST_SILENCE), 1):
        if doubt.add(at) > rhythm.beyond_chance and n * SLOT >= SOONEST:
            return at + SLOT
    return None


def allowed_until(
    limit: timedelta, since: datetime, listened: Mapping[datetime, int], now: datetime
) -> datetime | None:
    """The instant from which silence is to be told that may last *limit*, while we listen."""
    left = limit
    for at in _silent(since, listened, now, limit + SLOT):
        left -= SLOT
        if left <= timedelta(0):
            return at + SLOT + left
    return None


def _silent(
    since: datetime, listened: Mapping[datetime, int], now: datetime, ahead: timedelta
) -> Iterator[datetime]:
    """The slots after that of *since* in which we listened, or will for so long *ahead*."""
    at, end = floor(since) + SLOT, max(now, since) + ahead
    while at < end:
        if at + SLOT > now or listened.get(floor(at, HOUR), 0) & bit(at):
            yield at
        at += SLOT


class _Doubt:
    """How improbable the silence is that grows slot by slot, in time."""

    def __init__(self, rhythm: Rhythm, week: Week) -> None:
        self._rhythm, self._week = rhythm, week
        self._silent: dict[int, int] = {}
        self._before = self._usual = self._quiet = 0.0
        self._day: date | None = None

    def add(self, at: datetime) -> float:
        """One more slot without a push; how improbable (-ln p) all of it is."""
        local = at.astimezone(self._week.zone)
        if local.date() != self._day:
            self._before += self._of_day()
            self._day, self._usual, self._quiet = local.date(), 0.0, 0.0
        hour = local.weekday() * A_DAY + local.hour
        n = self._silent[hour] = self._silent.get(hour, 0) + 1
        self._usual += self._rhythm.one_more(self._rhythm.usual[hour], n)
        self._quiet += self._rhythm.one_more(self._rhythm.quietest[hour], n)
        return self._before + self._of_day()

    def _of_day(self) -> float:
        """Of the day that goes on: it may be a quiet one."""
        if self._day in self._week.holidays:
            return min(self._usual, self._quiet)
        if self._week.is_told:
            return self._usual
        return min(self._usual, self._quiet + A_DAY_ADDS * self._rhythm.beyond_chance)
