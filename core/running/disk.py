"""The disk under the embedded database: that it fills is said while there is room to say so.

PostgreSQL loses nothing on a full disk, but nothing is stored either until there is room, and no
deadline is told: see `core.errors.StoreImpaired`. Looked at four times a minute: what is free
where the database lies, and how long it lasts at the pace of the last hour. Of a database elsewhere
only its size is known here.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog

from core import keys
from core.model import Notice, NoticeKind
from core.store import notices, statement, stats, transaction, troubles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from core.configuration.sections import Store
    from core.running.state import State

LOOK_EVERY, MEASURE_EVERY = timedelta(seconds=15), timedelta(minutes=1)
MIB = 2**20
SHARE, MOST, FEWEST = 10, 1024 * MIB, 64 * MIB
"""Low is less than a tenth of the disk or a GiB, whichever is less; but never less than four files
of PostgreSQL's log of writes: a small disk is full soon."""
FILLING = 4
"""Of a disk of which less than one part in so many is free it matters how fast it fills."""
LASTS = timedelta(hours=6)
PACE = timedelta(hours=1)
ENOUGH = PACE / 2
"""So long it must have been looked at before a pace is believed."""
FREED = 1.25
"""So many times the least must be free before the trouble is over: it would come and go else."""

log = structlog.get_logger()


class Space(NamedTuple):
    """Bytes of a file system: what we may still write, and all."""

    free: int
    size: int


@dataclass(slots=True)
class Place:
    """What is remembered from one look to the next: what was free when, and what was *told*.

    *measured* is when the database was last asked for its size.
    """

    seen: deque[tuple[datetime, int]] = field(default_factory=deque)
    told: bool | None = None
    measured: datetime | None = None


def place(state_dir: Path) -> Path:
    """Where the embedded database lies: a link may lead to another disk."""
    home = state_dir / "postgres"
    return home.resolve() if home.exists() else state_dir


def measured(where: Path) -> Space:
    """The space of the file system of *where*.

    Raises:
        OSError: it cannot be asked.
    """
    found = shutil.disk_usage(where)
    return Space(found.free, found.total)


def least(space: Space, store: Store) -> int:
    """The bytes below which it is told that little is free."""
    return store.least_free_bytes or max(FEWEST, min(space.size // SHARE, MOST))


def lasts(seen: Sequence[tuple[datetime, int]]) -> timedelta | None:
    """How long what is free lasts at the pace of *seen*; None: nobody knows, or for ever."""
    if not seen:
        return None
    (begin, before), (end, free) = seen[0], seen[-1]
    if end - begin < ENOUGH or free >= before:
        return None
    return (end - begin) * (free / (before - free))


def is_low(space: Space, limit: int, left: timedelta | None, *, told: bool) -> bool:
    """Whether it is to be told, or is not over yet where it is *told*."""
    if space.free < limit * (FREED if told else 1):
        return True
    fills = left is not None and left < LASTS * (FREED if told else 1)
    return fills and space.free < space.size // FILLING


async def once(state: State, place_: Place, now: datetime) -> datetime:
    """Look at the disk and at the size of the database; tell what has changed.

    Raises:
        StoreUnavailable: the database is away; what was to be told is told by the next look.
    """
    if state.settings.store.embedded:
        await _look(state, place_, now)
    if place_.measured is None or abs(now - place_.measured) >= MEASURE_EVERY:
        async with statement(state.pool) as db:
            state.metrics.disk.measured(await stats.size(db))
        place_.measured = now
    return now + LOOK_EVERY


async def _look(state: State, place_: Place, now: datetime) -> None:
    try:
        space = await asyncio.to_thread(measured, place(state.settings.state_dir))
    except OSError as fault:
        log.warning("disk cannot be asked", error=fault.strerror)
        return
    state.metrics.disk.show(space.free, space.size)
    seen = place_.seen
    if seen and seen[-1][0] > now:  # the host's clock has gone back
        seen.clear()
    seen.append((now, space.free))
    while seen[0][0] < now - PACE:
        seen.popleft()
    left, limit = lasts(seen), least(space, state.settings.store)
    low = is_low(space, limit, left, told=bool(place_.told))
    if low != place_.told:
        await _tell(state, space, left, now, low=low)
        place_.told = low


async def _tell(
    state: State, space: Space, left: timedelta | None, now: datetime, *, low: bool
) -> None:
    """Say once that little is free, and once that it is over; a start may find either told."""
    kind = NoticeKind.DISK_LOW if low else NoticeKind.DISK_FREED
    async with transaction(state.pool) as db:
        if low:
            since = now if await troubles.begin(db, NoticeKind.DISK_LOW, now) else None
        else:
            since = await troubles.end(db, NoticeKind.DISK_LOW)
        if since is None:
            return
        facts = (("free", space.free), ("size", space.size), ("left", _seconds(left)))
        notice = Notice(keys.service(kind, since), kind, "", now, facts=facts)
        await notices.raise_(db, state.rules, [notice])
    if low:
        log.warning("disk is nearly full", free=space.free, size=space.size)
    else:
        log.info("disk has room again", free=space.free, size=space.size)


def _seconds(left: timedelta | None) -> int | None:
    return None if left is None else int(left.total_seconds())
