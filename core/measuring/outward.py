"""What the outward heartbeat came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from core.instruments import Shelf

SENT, FAILED, WITHHELD = OUTCOMES = ("sent", "failed", "withheld")


class Heartbeats:
    """A counter by outcome, the last success, and whether and how often somebody is to hear it."""

    def __init__(self, of: Shelf) -> None:
        self._configured = of.plain_gauge(
            "heartbeat_configured", "1 where a service outside hears that all turns: [heartbeat]."
        )
        self._period = of.plain_gauge(
            "heartbeat_period_seconds",
            "How often a service outside is to hear that all turns; 0: there is none.",
        )
        self._last = of.plain_gauge(
            "heartbeat_last_success_timestamp_seconds",
            "When the service outside was last told that all turns; 0: never.",
        )
        self._n = of.counter(
            "heartbeats",
            "What became of the word to the service outside that all turns.",
            "outcome",
            outcome=OUTCOMES,
        )
        self._n.create()

    def adopt(self, every: timedelta | None) -> None:
        """Say how often the settings want it; None: nobody is to hear it."""
        self._configured.set(every is not None)
        self._period.set(every.total_seconds() if every else 0.0)

    def came_to(self, outcome: str, now: datetime) -> None:
        """Count one; *now* is when it was sent."""
        self._n.labels(outcome).inc()
        if outcome == SENT:
            self._last.set(now.timestamp())
