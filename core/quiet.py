"""Quiet hours: what reaches nobody but people who are quiet leaves when the first of them is not.

They are looked at when a notice is raised (`core.routing`), and once more before it leaves: by then
a mute may have ended, or a file of duties changed. What was tried before and failed leaves as it
is: its reader may know it already. What was only claimed, by a process that died, is asked again,
and waits under its own key: whoever was told it knows it by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import keys
from core.model import NoticeKind
from core.routing import Way
from core.store import dispatches, notices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.model import Dispatch
    from core.routing import Routing
    from core.store import Db


async def hold_claimed(
    db: Db, routing: Routing, claimed: Sequence[Dispatch], now: datetime
) -> list[Dispatch]:
    """Postpone what of *claimed*, all of one notifier, nobody may be told *now*; the others.

    What only closes disturbs nobody.
    """
    waits = dict(_waits(routing, claimed, now))
    settled = dispatches.settled(claimed, waits)
    held = list(_held([one for one in claimed if one.notice.id in waits.keys() - settled], waits))
    gone = await dispatches.postpone(db, held[0][0].notifier, held) if held else frozenset()
    return [one for one in claimed if one.notice.id not in gone]


def may_hold(claimed: Sequence[Dispatch]) -> bool:
    """Whether any of *claimed* came to a notifier for people alone, and has not failed yet."""
    return any(one.ways and one.error is None for one in claimed)


def _waits(
    routing: Routing, claimed: Iterable[Dispatch], now: datetime
) -> Iterator[tuple[int | None, datetime]]:
    """By its number, until when each waits that has not failed and reaches only who is quiet."""
    for one in claimed:
        if not one.ways or one.error is not None or one.notice.kind is NoticeKind.ANSWERED:
            continue
        people = [Way.of(way).person for way in one.ways]
        until = routing.quiet_until(people, notices.subject(one.notice, at=now), now)
        if until is not None:
            yield one.notice.id, until


def _held(
    quiet: Sequence[Dispatch], waits: Mapping[int | None, datetime]
) -> Iterator[tuple[Dispatch, datetime, str]]:
    """Each with until when it waits, and with what; one digest leaves when the first of it may."""
    together = [waits[one.notice.id] for one in quiet if dispatches.begun(one)]
    for one in quiet:
        until = min(together) if dispatches.begun(one) else waits[one.notice.id]
        yield one, until, keys.quiet(one.notifier, until)
