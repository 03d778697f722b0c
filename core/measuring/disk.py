"""How large the database is, and what is free where the embedded one lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Gauge

    from core.instruments import Shelf


class Disk:
    """Three gauges, each absent until its number is known: a 0 would be a full disk."""

    def __init__(self, of: Shelf) -> None:
        self._registry = of.maker.registry
        self._free = of.plain_gauge(
            "state_disk_free_bytes",
            "What may still be written where the embedded database lies.",
        )
        self._size = of.plain_gauge(
            "state_disk_size_bytes",
            "The size of the disk where the embedded database lies.",
        )
        self._database = of.plain_gauge("database_size_bytes", "The size of the database.")
        self._unknown = {self._free, self._size, self._database}
        for gauge in self._unknown:
            self._registry.unregister(gauge)

    def show(self, free: float, size: float) -> None:
        """Say what is free, and the size of all."""
        self._set(self._free, free)
        self._set(self._size, size)

    def measured(self, database: float) -> None:
        """Say how large the database is."""
        self._set(self._database, database)

    def _set(self, gauge: Gauge, value: float) -> None:
        gauge.set(value)
        if gauge in self._unknown:
            self._unknown.remove(gauge)
            self._registry.register(gauge)
