"""How many messages probably come in a stretch of time: by the account's own weeks. Pure.

An hour of the week, in the zone of the account's own calendars, is worth what the same hours of
the last weeks brought. An hour that history does not tell of yet, in the first week of an account,
is worth `UNKNOWN`, or as much as the account's hours brought so far where that is more: an account
that is two days old and cannot be read may not say that nothing has come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from sla import zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sla.calendar import Calendar

WEEK, DAY, HOUR = timedelta(days=7), timedelta(days=1), timedelta(hours=1)
UNKNOWN = 1.0
"""Messages an hour, where no history tells: the default that is stated in notice and metrics."""


@dataclass(frozen=True)
class Arrivals:
    """What came from *since* to *until*, read completely: *came* by the beginning of the hour.

    Of an hour that this does not tell of, *unknown* messages are expected at least.
    """

    came: Mapping[datetime, int]
    since: datetime
    until: datetime
    zone: ZoneInfo
    unknown: float = UNKNOWN

    def expected(self, begin: datetime, end: datetime) -> float:
        """How many messages have probably come from *begin* to *end*, not before *until*."""
        whole = (end - begin) // WEEK
        rest = begin + whole * WEEK
        weeks = whole * self._among(begin, begin + WEEK) if whole else 0.0
        return weeks + self._among(rest, end)

    def is_known(self, at: datetime) -> bool:
        """Whether history tells of this hour of the week."""
        return self._before(at) >= self.since

    def _before(self, at: datetime) -> datetime:
        """The same instant of the last week that history may tell of."""
        return at - ((at - self.until) // WEEK + 1) * WEEK

    def _among(self, begin: datetime, end: datetime) -> float:
        total, at = 0.0, begin
        while at < end:
            then = min(end, at + self._alike(at))
            total += self._rate(at) * ((then - at) / HOUR)
            at = then
        return total

    def _alike(self, at: datetime) -> timedelta:
        """For how long one rate holds: to the end of the hour, of history, or to its beginning."""
        local, before = at.astimezone(self.zone), self._before(at)
        bound = self.until if before >= self.since else min(self.since, self.until)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return min(HOUR - past, bound - before)

    def _rate(self, at: datetime) -> float:
        if self.is_known(at):
            return self._by_hour.get(self._place(at), 0) / self._weeks
        return max(self.unknown, self._so_far)

    @cached_property
    def _by_hour(self) -> dict[tuple[int, int], int]:
        found: dict[tuple[int, int], int] = {}
        for hour, n in self.came.items():
            place = self._place(hour)
            found[place] = found.get(place, 0) + n
        return found

    @cached_property
    def _weeks(self) -> float:
        return max(1.0, (self.until - self.since) / WEEK)

    @cached_property
    def _so_far(self) -> float:
        """Messages an hour in what is known, where that is a day at least."""
        known = self.until - self.since
        return sum(self.came.values()) / (known / HOUR) if known >= DAY else 0.0

    def _place(self, at: datetime) -> tuple[int, int]:
        local = at.astimezone(self.zone)
        return local.weekday(), local.hour


def zone_of(calendars: Iterable[Calendar]) -> ZoneInfo:
    """An account's own zone, as the calendars of its promises say; UTC where none says."""
    return zones.zone(next((c.zone for c in calendars if c.zone != "UTC"), "UTC"))
