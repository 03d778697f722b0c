"""The queue of polls, the leases, the workers, this process's connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.instruments import Source
from core.measuring.sections import API, ENGINE
from core.measuring.written import Room, Seen, written

if TYPE_CHECKING:
    from core.measuring.written import Families

POOL = ("idle", "used")

BUDGET = API.family(
    "rate_budget_until_timestamp_seconds", "gauge", ("marketplace", "budget"),
    "Until when the marketplace asked to wait, under a limit that accounts share; 0: it did not.",
)  # fmt: skip
OLDEST_DUE = ENGINE.family(
    "poll_queue_oldest_due_timestamp_seconds", "gauge", (),
    "Since when the longest-waiting due poll waits; 0: none waits.",
)  # fmt: skip
DUE = ENGINE.family(
    "poll_queue_due_targets", "gauge", ("marketplace",), "Streams due and not claimed."
)
LEASES = ENGINE.family("leases_held", "gauge", (), "Streams that workers are reading.")
WORKERS = ENGINE.family("workers", "gauge", (), "Processes that hold their lock in the database.")
CONNECTIONS = ENGINE.family(
    "database_pool_connections",
    "gauge",
    ("state",),
    "This process's connections by state.",
    Source.PROCESS,
)
MOST_CONNECTIONS = ENGINE.family(
    "database_pool_connections_max",
    "gauge",
    (),
    "As many connections this process may open.",
    Source.PROCESS,
)


def _shown(seen: Seen) -> Families:
    names, snapshot = seen.names, seen.snapshot
    yield OLDEST_DUE, [("", snapshot.oldest_due)]
    yield (
        DUE,
        [(written(("marketplace",), (m,)), snapshot.due.get(m, 0)) for m in names.marketplaces],
    )
    yield (
        BUDGET,
        [
            (written(("marketplace", "budget"), (of, name)), snapshot.budgets.get(key, 0.0))
            for of, name, key in names.budgets
        ],
    )
    yield LEASES, [("", snapshot.leases)]
    yield WORKERS, [("", snapshot.workers)]
    yield (
        CONNECTIONS,
        [(f'state="{s}"', count) for s, count in zip(POOL, snapshot.pool[:2], strict=True)],
    )
    yield MOST_CONNECTIONS, [("", snapshot.pool[2])]


ROOM = Room((BUDGET, OLDEST_DUE, DUE, LEASES, WORKERS, CONNECTIONS, MOST_CONNECTIONS), _shown)
