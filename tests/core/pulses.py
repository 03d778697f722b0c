"""Invented accounts that are pushed: shops with days, nights and weekends, by the week."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from core.arrival import rhythm
from core.arrival.rhythm import ALL, HOUR, SLOT

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
BY_DAY = (0.02,) * 6 + (0.3, 0.6) + (1.0,) * 10 + (0.8, 0.8, 0.6, 0.4, 0.2, 0.05)
WEEKEND = {5: 0.6}
DAY = timedelta(days=1)


def pushes(random, a_day, weeks, *, sunday=0.0, bunch=1, closed=(), begin=MONDAY):
    """Poisson's, *a_day* on a weekday on average; *bunch* of them within three quarters of an hour.

    Nothing comes on days that are *closed*, and on Sundays *sunday* of it.
    """
    found = []
    for day in range(weeks * 7):
        date = begin + day * DAY
        share = sunday if date.weekday() == 6 else WEEKEND.get(date.weekday(), 1.0)
        share = 0.0 if date.date() in closed else share
        for hour, weight in enumerate(BY_DAY):
            rate = a_day * share * weight / sum(BY_DAY) / bunch
            at = random.expovariate(rate) if rate else 2.0
            while at < 1:
                each = [random.uniform(0, 0.75) for _ in range(bunch - 1)]
                found += [date + (hour + at + more) * HOUR for more in [0.0, *each]]
                at += random.expovariate(rate)
    return sorted(found)


def by_hour(instants):
    """The slots of *instants*, by hour."""
    found = defaultdict(int)
    for at in instants:
        found[rhythm.floor(at, HOUR)] |= rhythm.bit(at)
    return dict(found)


def always(begin, end):
    """All slots of the hours from *begin* to *end*."""
    return {begin + n * HOUR: ALL for n in range((end - begin) // HOUR)}


def gaps(instants):
    """The silences of an hour and more: (the last push before it, the first after it)."""
    return [
        (a, b) for a, b in pairwise(instants) if rhythm.floor(b) - rhythm.floor(a) > HOUR + SLOT
    ]
