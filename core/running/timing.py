"""How long statements take, as a metric by the module of their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.store import statements

if TYPE_CHECKING:
    from asyncpg.connection import LoggedQuery

    from core.metrics import Metrics
    from core.store import Told


def of_statements(metrics: Metrics) -> Told:
    """What a pool is to tell of each statement; nothing of its values is looked at."""
    found = metrics.database_query_duration
    found.create(statement=statements.names())

    def told(one: LoggedQuery) -> None:
        found.labels(statements.name(one.query)).observe(one.elapsed)

    return told
