"""Alarms: what the watcher does next with a clock, and when; what was told of it so far.

A narrow row beside the clock, so that telling a step leaves the clock alone. It is the clock's
lock too: whoever changes a clock that has one holds it first and writes it anew, so that the
watcher, who holds nothing else, sees in it whether the clock is still what he has read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.store import copied
from sla.clock import next_alert_at

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.model import ClockRow
    from core.store import Db

COLUMNS = ("clock", "at", "kind")
PUT = """
    with gone as (
        delete from alarm where clock = any($1)
    )
    insert into alarm (clock, at, kind, step)
    select clock, at, kind::alarm_kind, step
    from unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::smallint[])
        as w (clock, at, kind, step)
    on conflict (clock) do update
    set at = excluded.at, kind = excluded.kind, step = excluded.step
"""
TO_TELL = ("warning", "breach")


class Alarm(NamedTuple):
    """What is next of a clock.

    *kind*: at *at* a `warning` or the `breach` is to be told. Or the breach was `told`, or the
    clock ended `late` while the host's clock was not believed, and it is to be counted; *at* is
    then the deadline. (A breach that was counted before it was told keeps its `told` until the
    watcher comes to count it: its step stands nowhere else till then.)
    """

    at: datetime
    kind: str


def of(row: ClockRow) -> Alarm | None:
    """The alarm of *row*; None for history, what is superseded or counted, and what has ended."""
    clock, steps = row.clock, row.clock.steps
    if row.history or not steps or clock.ended not in (None, "late"):
        return None
    at = next_alert_at(steps, row.step) if clock.ended is None else None
    if at is not None:
        return Alarm(at, TO_TELL[row.step == len(steps) - 1])
    if row.breached_at is not None and row.corrected_at is None:
        return None
    return Alarm(clock.due_at, clock.ended or "told")


def first_to_tell(alarms: Iterable[Alarm | None]) -> datetime | None:
    """The instant of the first step to be told; None while there is none."""
    return min((a.at for a in alarms if a is not None and a.kind in TO_TELL), default=None)


async def add(db: Db, alarms: Iterable[tuple[int, Alarm | None]]) -> None:
    """Write those of new clocks, of which nothing was told yet."""
    rows = [
        copied.bigint(clock) + copied.instant(alarm.at) + copied.text(alarm.kind)
        for clock, alarm in alarms
        if alarm is not None
    ]
    if rows:
        await copied.write(db, "alarm", COLUMNS, rows)


async def put(db: Db, changed: Iterable[tuple[ClockRow, Alarm | None]]) -> None:
    """Write those of changed clocks anew, though they be as before; the caller holds them."""
    gone, stay = [], []
    for row, alarm in changed:
        if alarm is None:
            gone.append(row.id)
        else:
            stay.append((row.id, alarm.at, alarm.kind, row.step))
    clocks, ats, kinds, steps = zip(*stay, strict=True) if stay else ((), (), (), ())
    await db.execute(PUT, gone, clocks, ats, kinds, steps)
