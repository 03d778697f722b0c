"""What `core.transport.http` tells of its requests, as metrics and for the doubt of our clock."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING

from core import labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.hostclock import HostClock
    from core.metrics import Metrics


@lru_cache(1024)
def _label(code: str) -> str:
    return labels.code(int(code) if code.isdigit() else None)


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests to one marketplace; *beat* is told that reading goes on."""

    marketplace: str
    metrics: Metrics
    clock: HostClock
    beat: Callable[[], None]

    def requested(self, operation: str, code: str, seconds: float) -> None:
        """One request has ended with *code*, "0" where no answer came."""
        self.beat()
        metrics, place = self.metrics, (self.marketplace, operation)
        metrics.marketplace_requests.labels(*place, _label(code)).inc()
        metrics.marketplace_request_duration.labels(*place).observe(seconds)

    def retried(self, reason: str) -> None:
        """A question is asked again at once."""
        self.metrics.marketplace_retries.labels(self.marketplace, reason).inc()

    def dated(self, skew_seconds: float) -> None:
        """An answer told how far the marketplace's clock is ahead of ours."""
        self.metrics.marketplace_clock_skew.labels(self.marketplace).set(skew_seconds)
        self.clock.dated(self.marketplace, skew_seconds, monotonic())
