"""What is muted, and what waits for the end of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.measuring.facts import Muting, Outbox
from core.measuring.sections import NOTIFICATIONS
from core.measuring.written import Room, Seen, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.measuring.written import Families

SCOPES = ("account", "route")

MUTED = NOTIFICATIONS.family(
    "notifications_muted", "gauge", ("notifier",),
    "Notices that a mute holds back: they leave together when it ends.",
)  # fmt: skip
UNTIL = NOTIFICATIONS.family(
    "muted_until_timestamp_seconds", "gauge", ("scope", "name"),
    "Until when an account, or a route, is muted; 0: it is not.",
)  # fmt: skip
SINCE = NOTIFICATIONS.family(
    "muted_since_timestamp_seconds", "gauge", ("scope", "name"),
    "Since when it is muted; whoever moves the end does not move this; 0: it is not.",
)  # fmt: skip


def _shown(seen: Seen) -> Families:
    empty, outbox = Outbox(), seen.snapshot.outbox
    yield (
        MUTED,
        [
            (written(("notifier",), (name,)), outbox.get(name, empty).muted)
            for name in seen.names.notifiers
        ],
    )
    mutes = list(_mutes(seen))
    yield UNTIL, [(place, of.until) for place, of in mutes]
    yield SINCE, [(place, of.since) for place, of in mutes]


def _mutes(seen: Seen) -> Iterator[tuple[str, Muting]]:
    """Of every account and route of the settings."""
    none = Muting()
    accounts = (name for _, name in seen.names.accounts)
    for scope, names in zip(SCOPES, (accounts, seen.names.routes), strict=True):
        for name in names:
            place = written(("scope", "name"), (scope, name))
            yield place, seen.snapshot.muted.get((scope, name), none)


ROOM = Room((MUTED, UNTIL, SINCE), _shown)
