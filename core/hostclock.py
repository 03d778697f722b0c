"""Is the host's clock to be believed? While it is not, no breach is counted or told."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

JUMP = timedelta(seconds=5)
ASTRAY = 30.0
SKEW_COUNTS_FOR = 600.0
SETTLES_AFTER = 60.0
SKEWS_KEPT = 64


def jumped(wall: timedelta, monotonic: float) -> bool:
    """Whether wall and monotonic time moved apart by more than 5 s within one round."""
    return abs(wall - timedelta(seconds=monotonic)) > JUMP


def astray(skews: Sequence[float]) -> bool:
    """Whether the median of the marketplaces' `Date` headers is more than 30 s off ours."""
    return bool(skews) and abs(median(skews)) > ASTRAY


@dataclass(slots=True)
class HostClock:
    """What was seen of the host's clock. *wall* is an instant, *monotonic* are seconds.

    *doubts* grows whenever it is not believed, *jumps* with each jump: who remembers the number
    knows of what came and went meanwhile. After a jump the clock is believed again when a
    marketplace's `Date` header, read since then, agrees with it, or after a minute without another
    jump where none speaks.
    """

    wall: datetime | None = None
    monotonic: float = 0.0
    jumped_at: float | None = None
    doubts: int = 0
    jumps: int = 0
    _skews: dict[str, deque[tuple[float, float]]] = field(default_factory=dict)

    def turn(self, wall: datetime, monotonic: float) -> bool:
        """Compare with the last round; True when the clock is to be believed."""
        if self.wall is not None and jumped(wall - self.wall, monotonic - self.monotonic):
            self.jumped_at = monotonic
            self.doubts += 1
            self.jumps += 1
            self._skews.clear()
        self.wall, self.monotonic = wall, monotonic
        return self.sure(monotonic)

    def dated(self, marketplace: str, skew: float, monotonic: float) -> None:
        """A `Date` header of *marketplace* was *skew* seconds ahead of our clock."""
        kept = self._skews.setdefault(marketplace, deque(maxlen=SKEWS_KEPT))
        kept.append((monotonic, skew))

    def sure(self, monotonic: float) -> bool:
        """Whether the host's clock is to be believed now."""
        sure = self._is_sure(monotonic)
        self.doubts += not sure
        return sure

    def _is_sure(self, monotonic: float) -> bool:
        skews = self._medians(monotonic)
        if astray(skews):
            return False
        if self.jumped_at is None or skews or monotonic - self.jumped_at > SETTLES_AFTER:
            self.jumped_at = None
            return True
        return False

    def _medians(self, monotonic: float) -> list[float]:
        """One skew a marketplace: a chatty one does not outvote the others."""
        fresh = (
            [skew for at, skew in kept if monotonic - at < SKEW_COUNTS_FOR]
            for kept in self._skews.values()
        )
        return [median(skews) for skews in fresh if skews]
