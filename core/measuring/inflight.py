"""The polls that are under way in this process: how many, and since when the oldest."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from core.instruments import Shelf


class InFlight:
    """Two gauges that follow what is begun and ended."""

    def __init__(self, of: Shelf) -> None:
        self._n = of.plain_gauge("polls_in_flight", "Walks of a stream that are under way.")
        self._oldest = of.plain_gauge(
            "poll_oldest_started_timestamp_seconds",
            "When the oldest walk that is under way began; 0: none is.",
        )
        self._began: dict[object, float] = {}

    @contextmanager
    def one(self, began: datetime) -> Iterator[None]:
        """One more, until it ends however it may."""
        key = object()
        self._began[key] = began.timestamp()
        self._show()
        try:
            yield
        finally:
            del self._began[key]
            self._show()

    def _show(self) -> None:
        self._n.set(len(self._began))
        self._oldest.set(next(iter(self._began.values()), 0.0))  # they are kept as they began
