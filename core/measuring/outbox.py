"""The notices that wait to be sent, by notifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.measuring.facts import Outbox
from core.measuring.sections import NOTIFICATIONS
from core.measuring.written import Room, Seen, written

if TYPE_CHECKING:
    from core.measuring.written import Families

PENDING = NOTIFICATIONS.family(
    "notifications_pending", "gauge", ("notifier",), "Notices not yet sent; muted ones apart."
)
PENDING_SINCE = NOTIFICATIONS.family(
    "notification_oldest_pending_timestamp_seconds", "gauge", ("notifier",),
    "Since when the oldest notice waits to be sent; 0: none waits. What is held back on purpose "
    "(a mute, a first walk, a restore, the notifier's rate) does not wait.",
)  # fmt: skip
PARKED = NOTIFICATIONS.family(
    "notifications_parked", "gauge", ("notifier",), "Notices given up: replyby notices list."
)


def _shown(seen: Seen) -> Families:
    empty = Outbox()
    found = [
        (written(("notifier",), (name,)), seen.snapshot.outbox.get(name, empty))
        for name in seen.names.notifiers
    ]
    yield PENDING, [(text, outbox.pending) for text, outbox in found]
    yield PENDING_SINCE, [(text, outbox.oldest) for text, outbox in found]
    yield PARKED, [(text, outbox.parked) for text, outbox in found]


ROOM = Room((PENDING, PENDING_SINCE, PARKED), _shown)
