"""What may be one of our own replies, read back and not known as such, and a promise made since.

A shop that gives a reply no name dates it by a clock of its own, and may put words of its own
around it. What was written here before the promise is no answer to it: while a reply of ours is not
found at the marketplace, so much that could be it does not end the promise. If a person answered
there instead, a person can say so; the other way round nobody would be reminded.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from core.store import messages, readings
from sla.given import FOLLOW_UP
from sla.policy import Party
from sla.turn import Delivery, Kind, instant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from core.store import Db
    from core.store.messages import StoredTurn
    from sla.clock import Given

OFF = timedelta(hours=1)
"""How much later than we a shop may date what it was told."""
BEFORE = timedelta(minutes=10)
"""How much earlier, as who looks for replies takes it too: `core.store.readback`."""
OWN = "reply:"
"""How the id of our own reply begins until the marketplace's is known."""


async def given(
    db: Db, account: str, ids: Collection[str], turns: Mapping[str, Sequence[StoredTurn]]
) -> dict[str, Sequence[Given]]:
    """All readings of threads *ids*, the promises among them with the copies that do not end them.

    Only where somebody promised something and a reply is not found is more asked of *db*.
    """
    read = await readings.of(db, account, ids)
    doubted = {
        id_: _theirs(turns.get(id_, ()))
        for id_, several in read.items()
        if any(one.kind == FOLLOW_UP for one in several) and _open(turns.get(id_, ()))
    }
    asked = [turn.id for theirs in doubted.values() for turn in theirs]
    written = await messages.elsewhere(db, account, asked) if asked else frozenset()
    found: dict[str, Sequence[Given]] = dict(read)
    for id_, theirs in doubted.items():
        copied = copies(_open(turns[id_]), [turn for turn in theirs if turn.id in written])
        found[id_] = [_with(one, copied) for one in read[id_]]
    return found


def copies(
    ours: Sequence[StoredTurn], theirs: Sequence[StoredTurn]
) -> Sequence[tuple[StoredTurn, StoredTurn]]:
    """Each of *ours* that was not found, with the first of *theirs* that may be its copy. Pure."""
    left = sorted(theirs, key=_order)
    found = []
    for own in sorted(ours, key=_order):
        at = instant(own)
        one = next(
            (
                turn for turn in left
                if turn.seen_at > at and at - BEFORE <= instant(turn) <= at + OFF
            ),
            None,
        )  # fmt: skip
        if one is not None:
            left.remove(one)
            found.append((own, one))
    return found


def _with(one: Given, copied: Sequence[tuple[StoredTurn, StoredTurn]]) -> Given:
    """A reading, with the copies of what was said before it began, where it is a promise."""
    if one.kind != FOLLOW_UP or one.starts_at is None:
        return one
    starts_at = one.starts_at
    before = frozenset(copy.id for own, copy in copied if instant(own) <= starts_at)
    return replace(one, copies=before) if before else one


def _open(turns: Sequence[StoredTurn]) -> list[StoredTurn]:
    """Our replies that left, or may have, and were not found at the marketplace."""
    kept = (Delivery.ACCEPTED, Delivery.UNKNOWN)
    return [turn for turn in _to_buyer(turns) if turn.id.startswith(OWN) and turn.delivery in kept]


def _theirs(turns: Sequence[StoredTurn]) -> list[StoredTurn]:
    """What was read at the marketplace."""
    return [turn for turn in _to_buyer(turns) if turn.delivery is Delivery.CONFIRMED]


def _to_buyer(turns: Sequence[StoredTurn]) -> list[StoredTurn]:
    return [
        turn
        for turn in turns
        if turn.party is Party.SELLER and turn.kind is Kind.MESSAGE and Party.BUYER in turn.to
    ]


def _order(turn: StoredTurn) -> tuple[datetime, str]:
    return instant(turn), turn.id
