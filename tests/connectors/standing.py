"""A marketplace's clock that stands until it is moved, and calls that wait for nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.transport.http import Limits

QUICK = Limits(first_wait=0.0, longest_wait=0.0, patience=0.0)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **how: float) -> datetime:
        self.now += timedelta(**how)
        return self.now
