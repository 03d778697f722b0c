"""What no listing can show: what waits at accounts that were not read, or not for too long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from core.reading import blind
from core.store import sight, workers
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from core.configuration.configured import Configured
    from core.settings import Settings
    from core.store import Db
    from core.store.sight import Sight


async def of(
    db: Db, configured: Settings, now: datetime, *, among: Collection[str] | None = None
) -> list[str]:
    """A line for each account of the settings, or *among* some, of which not all is known."""
    seen = await sight.all_(db)
    grace = blind.GRACE if await workers.alive(db) else timedelta(0)
    return [
        line
        for name, found in configured.accounts.items()
        if among is None or name in among
        for line in _lines(name, found, [one for one in seen if one.account == name], now, grace)
    ]


def say(lines: Sequence[str], *, as_json: bool) -> None:
    """Print *lines* after a listing; beside one for scripts, whose output stays as it is."""
    for line in lines:
        click.echo(line, err=as_json)


def _lines(
    name: str, found: Configured, seen: Sequence[Sight], now: datetime, grace: timedelta
) -> Iterator[str]:
    """At most one: never read, or since when."""
    streams = [stream.name for stream in found.streams if stream.carries_clocks]
    read = {one.stream: one.seen_through for one in seen if one.stream in streams}
    never = [stream for stream in streams if read.get(stream) is None]
    late = [
        one.stream for one in seen if one.stream not in never and _is_blind(one, found, now, grace)
    ]
    if never:
        yield f"{name}: {_part(never, streams)}not read yet, what waits there is unknown"
    elif late:
        since = min(at for stream in late if (at := read.get(stream)))
        yield (
            f"{name}: {_part(late, streams)}not read since {in_utc(since)}, "
            "what waits there is unknown"
        )


def _is_blind(one: Sight, found: Configured, now: datetime, grace: timedelta) -> bool:
    """Whether it was told to be, and still is; or nobody tells it after *grace*."""
    promise = blind.shortest(found.promises, now)
    over = now - one.since - blind.limit(one.every, one.every, promise)
    return over > (grace if one.blind_since is None else timedelta(0))


def _part(some: Sequence[str], every: Sequence[str]) -> str:
    """Which streams, where it is not all of them."""
    return "" if len(some) == len(every) else f"{', '.join(sorted(some))} "
