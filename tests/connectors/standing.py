"""A marketplace's clock that stands until it is moved."""

from __future__ import annotations

from datetime import datetime, timedelta


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **how: float) -> datetime:
        self.now += timedelta(**how)
        return self.now
