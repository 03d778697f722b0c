"""How many messages a notifier may still be told now, where the settings bound that.

What was spent stands in the database, so restarts and several daemons change nothing. Only who
decides for the notifier (`core.store.digests.lock`) asks. What closes something is no message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.model import NoticeKind
from core.notifier import Paced
from core.store import budget, digests, dispatches, transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.model import Dispatch
    from core.notifier import Notifier
    from core.outbox.batch import Outbox
    from core.pace import Pace
    from core.store import Db

OTHERS = sorted(
    {kind.value for kind in NoticeKind}
    - {*dispatches.FLOODING, NoticeKind.ANSWERED.value, NoticeKind.DIGEST.value}
)
"""What leaves by itself however much comes, unless there is no room."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many messages may leave now, by which *pace*, and *wait* seconds until one may."""

    pace: Pace
    messages: int
    wait: float


def of(notifier: Notifier) -> Pace | None:
    """How fast *notifier* may be told; None: as fast as it comes."""
    return notifier.pace if isinstance(notifier, Paced) else None


def messages(parts: Iterable[Sequence[Dispatch]]) -> int:
    """How many of *parts* count as messages: what only closes something does not."""
    return sum(part[0].notice.kind is not NoticeKind.ANSWERED for part in parts)


async def room(db: Db, name: str, pace: Pace) -> Room:
    """What room there is at this moment for the notifier *name*."""
    ahead = await budget.ahead(db, _key(name))
    return Room(pace, pace.room(ahead), pace.wait(ahead))


async def alone(db: Db, name: str, allowed: int | None, room: Room) -> list[int]:
    """What leaves by itself: the most urgent that there is room for; all the rest gathers.

    Of the kinds that come as floods no more than *allowed*; None: as many as there is room for.
    """
    most = room.messages
    floods = most if allowed is None else min(allowed, most)
    taken = await digests.pressing(db, name, floods, most)
    await digests.gather_rest(db, name, dispatches.FLOODING, taken)
    if len(taken) == most:
        await digests.gather_rest(db, name, OTHERS, taken)
    return taken


async def spend(db: Db, name: str, pace: Pace, messages: int) -> None:
    """Write that so many leave now."""
    if messages:
        await budget.spend(db, _key(name), messages * pace.apart)


async def give_back(outbox: Outbox, pace: Pace, messages: int) -> None:
    """Write that so many did not leave after all."""
    if messages > 0:
        async with transaction(outbox.this.pool) as db:
            await budget.spend(db, _key(outbox.name), -messages * pace.apart)


def _key(name: str) -> str:
    return f"notifier {name}"
