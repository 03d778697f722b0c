"""What the settings promise, and what each process last saw of the accounts."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from core.instruments import ACCOUNT, Source
from core.measuring.sections import API, BLINDNESS, DEADLINES, ENGINE
from core.measuring.written import Room, Seen, written

if TYPE_CHECKING:
    from core.measuring.written import Families

OBJECTIVE = DEADLINES.family(
    "slo_objective_ratio", "gauge", ("marketplace",),
    "The share of replies in time that the marketplace asks for, the strictest of its contracts.",
    Source.SETTINGS,
)  # fmt: skip
THRESHOLD = DEADLINES.family(
    "risk_threshold_seconds", "gauge", ("marketplace", "band"),
    "The most working time left at which a clock enters the band.",
    Source.SETTINGS,
)  # fmt: skip
STALE = BLINDNESS.family(
    "poll_stale_after_seconds", "gauge", ACCOUNT,
    "The age of a reading that is blindness, the shortest of the account's streams.",
    Source.SETTINGS,
)  # fmt: skip
EXPIRY = API.family(
    "credential_expiry_timestamp_seconds", "gauge", ACCOUNT,
    "When the account's first key ends by itself; +Inf where nobody knows.",
    Source.SETTINGS,
)  # fmt: skip
WORKERS = ENGINE.family(
    "workers_expected",
    "gauge",
    (),
    "Processes that are to run on this database: [ops] workers.",
    Source.SETTINGS,
)


def _shown(seen: Seen) -> Families:
    promised, places = seen.promised, seen.places.items()
    yield (
        OBJECTIVE,
        [(written(("marketplace",), (m,)), share) for m, share in promised.objectives.items()],
    )
    yield (
        THRESHOLD,
        [
            (written(("marketplace", "band"), key), span)
            for key, span in promised.thresholds.items()
        ],
    )
    yield STALE, [(place, promised.stale_after.get(account, 0.0)) for account, place in places]
    yield EXPIRY, [(place, promised.expiries.get(account, inf)) for account, place in places]
    yield WORKERS, [("", promised.workers)]
    for gauge in seen.gauges:
        yield gauge.family, [(place, gauge.get(account)) for account, place in places]


ROOM = Room((OBJECTIVE, THRESHOLD, STALE, EXPIRY, WORKERS), _shown, needs_database=False)
