"""What the outward heartbeat came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from core.instruments import Shelf

SENT, FAILED, WITHHELD = OUTCOMES = ("sent", "failed", "withheld")


class Heartbeats:
    """A counter by outcome, the last success, and whether there is somebody to hear it."""

    def __init__(self, of: Shelf) -> None:
        self.configured = of.plain_gauge(
            "heartbeat_configured", "1 where a service outside hears that all turns: [heartbeat]."
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

    def came_to(self, outcome: str, now: datetime) -> None:
        """Count one; *now* is when it was sent."""
        self._n.labels(outcome).inc()
        if outcome == SENT:
            self._last.set(now.timestamp())
