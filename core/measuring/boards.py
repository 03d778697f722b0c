"""Who works on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.measuring.sections import SERVICE
from core.measuring.written import Room, Seen

if TYPE_CHECKING:
    from core.measuring.written import Families

SESSIONS = SERVICE.family(
    "board_sessions_used", "gauge", (), "Sessions of the board that were used in the last hour."
)


def _shown(seen: Seen) -> Families:
    yield SESSIONS, [("", float(seen.snapshot.sessions))]


ROOM = Room((SESSIONS,), _shown)
