"""How the notices of a thread stand on their ladders, as people ask: who was told, who is next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.desk import escalating
from core.store import claims, escalations, mutes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from core.store import Db
    from core.store.claims import Claim
    from core.store.escalations import Escalation, Told
    from core.told import Mute

Held = Literal["claim", "mute"]


@dataclass(frozen=True, slots=True)
class Climb:
    """A notice on its ladder; *told* are the rungs so far.

    *next_at* is when the next of *targets* is due, as things stand; None: there is none. *held* is
    what it waits for, None: for its time.
    """

    escalation: Escalation
    told: Sequence[Told]
    next_at: datetime | None
    targets: tuple[str, ...]
    held: Held | None


async def of(db: Db, account: str, thread: str, now: datetime) -> list[Climb]:
    """Everything that climbs, or has climbed, of a thread, in the order in which it began."""
    found = await escalations.of_thread(db, account, thread)
    if not found:
        return []
    told = await escalations.told(db, account, thread)
    claim = (await claims.of(db, [(account, thread)], now)).get((account, thread))
    standing = await mutes.standing(db)
    return [
        _climb(one, [each for each in told if each.id == one.id], claim, standing) for one in found
    ]


def _climb(
    one: Escalation, told: Sequence[Told], claim: Claim | None, standing: Iterable[Mute]
) -> Climb:
    if one.ended is not None:
        return Climb(one, told, None, (), None)
    names = {("account", one.account), ("route", one.route)}
    gap = one.next_at - one.told_at
    ends = [mute.end + gap for mute in standing if (mute.scope, mute.name) in names]
    waits: list[tuple[datetime, Held | None]] = [(one.next_at, None)]
    waits += [(claim.until, "claim")] if claim else []
    waits += [(at, "mute") for at in ends]
    next_at, held = max(waits, key=lambda wait: wait[0])
    return Climb(one, told, next_at, escalating.targets(one.ladder, one.rung + 1), held)
