"""Who works on threads, and what climbs its ladder because nobody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.measuring.sections import NOTIFICATIONS
from core.measuring.written import Room, Seen, written

if TYPE_CHECKING:
    from core.measuring.written import Families

RUNGS = ("0", "1", "2", "3")

CLAIMS = NOTIFICATIONS.family(
    "claims_open", "gauge", (), "Threads that somebody has claimed, and not answered yet."
)
CLIMBING = NOTIFICATIONS.family(
    "escalations_running", "gauge", ("rung",),
    "Notices that climb a ladder, by how many of its rungs were told.",
)  # fmt: skip


def _shown(seen: Seen) -> Families:
    yield CLAIMS, [("", seen.snapshot.claims)]
    climbing = seen.snapshot.climbing
    yield CLIMBING, [(written(("rung",), (rung,)), climbing.get(int(rung), 0)) for rung in RUNGS]


ROOM = Room((CLAIMS, CLIMBING), _shown)
