"""Quiet hours: what reaches nobody but people who are quiet leaves when the first of them is not.

They are looked at when a notice is raised (`core.routing`), and once more before it leaves: by then
a mute may have ended, or a file of duties changed. What was tried before and failed leaves as it
is: its reader may know it already. What was only claimed, by a process that died, is asked again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import keys
from core.model import NoticeKind
from core.routing import Way
from core.store import dispatches, notices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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
    held = list(_held(routing, claimed, now))
    gone = await dispatches.postpone(db, held[0][0].notifier, held) if held else frozenset()
    return [one for one in claimed if one.notice.id not in gone]


def may_hold(claimed: Sequence[Dispatch]) -> bool:
    """Whether any of *claimed* came to a notifier for people alone, and has not failed yet."""
    return any(one.ways and one.error is None for one in claimed)


def _held(
    routing: Routing, claimed: Sequence[Dispatch], now: datetime
) -> Iterator[tuple[Dispatch, datetime, str]]:
    for one in claimed:
        if not one.ways or one.error is not None or one.notice.kind is NoticeKind.ANSWERED:
            continue
        people = [Way.of(way).person for way in one.ways]
        until = routing.quiet_until(people, notices.subject(one.notice, at=now), now)
        if until is not None:
            yield one, until, keys.quiet(one.notifier, until)
