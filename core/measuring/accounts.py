"""How accounts are read, and whether pushes about them arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.instruments import ACCOUNT
from core.measuring.facts import Pushing, Reading
from core.measuring.sections import API, BLINDNESS, INGESTION, PUSHES
from core.measuring.written import Room, Seen

if TYPE_CHECKING:
    from core.measuring.written import Families

SUCCESS = INGESTION.family(
    "poll_last_success_timestamp_seconds", "gauge", ACCOUNT,
    "When the account was last read without fault; 0: never.",
)  # fmt: skip
SEEN = BLINDNESS.family(
    "seen_through_timestamp_seconds", "gauge", ACCOUNT,
    "The begin of the last complete walk: what was written before it has been seen; 0: never.",
)  # fmt: skip
INTERVAL = INGESTION.family(
    "poll_interval_seconds", "gauge", ACCOUNT,
    "The interval of polls in force, the shortest of the account's streams.",
)  # fmt: skip
AUTHORIZED = API.family(
    "account_authorized", "gauge", ACCOUNT, "1 while the marketplace accepts the key."
)
ENABLED = API.family("account_enabled", "gauge", ACCOUNT, "1 while the account is read.")
BACKOFF = API.family(
    "account_backoff_until_timestamp_seconds", "gauge", ACCOUNT,
    "Until when the account is left alone after failures; 0: it is not.",
)  # fmt: skip
PUSHED = PUSHES.family(
    "push_last_received_timestamp_seconds", "gauge", ACCOUNT,
    "When a push about the account was last stored; 0: never.",
)  # fmt: skip
SILENT = PUSHES.family(
    "push_silent", "gauge", ACCOUNT, "1 while it is told that no pushes about the account arrive."
)


def _shown(seen: Seen) -> Families:
    yield from _readings(seen)
    yield from _pushes(seen)


def _readings(seen: Seen) -> Families:
    unread = Reading()
    readings = [(place, seen.snapshot.readings.get(a, unread)) for a, place in seen.places.items()]
    yield SUCCESS, [(place, found.last_success) for place, found in readings]
    yield SEEN, [(place, found.seen_through) for place, found in readings]
    yield INTERVAL, [(place, found.interval) for place, found in readings]
    yield AUTHORIZED, [(place, float(found.authorized)) for place, found in readings]
    yield ENABLED, [(place, float(not found.retired)) for place, found in readings]
    yield BACKOFF, [(place, found.backoff_until) for place, found in readings]


def _pushes(seen: Seen) -> Families:
    none = Pushing()
    found = [(place, seen.snapshot.pushing.get(a, none)) for a, place in seen.places.items()]
    yield PUSHED, [(place, of.last) for place, of in found]
    yield SILENT, [(place, float(of.silent)) for place, of in found]


ROOM = Room((SUCCESS, SEEN, INTERVAL, AUTHORIZED, ENABLED, BACKOFF, PUSHED, SILENT), _shown)
