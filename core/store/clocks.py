"""Clocks as rows: `put` makes them agree with what is computed, and writes their history."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from core.agree import Entry, agree
from core.model import ClockRow
from core.remember import GONE, MERGED
from core.store import (
    alarms,
    claims,
    copied,
    described,
    escalations,
    incidents,
    moving,
    notices,
    refusing,
    tally,
)  # fmt: skip
from sla.clock import SUPERSEDED, Clock
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.agree import Changes, Computed
    from core.rules import Rules
    from core.store import Db
    from core.store.alarms import Alarm
    from core.store.described import Described, Ref

# The alarms first: who tells a step holds nothing else, and never waits for the clock.
ROWS = """
    with held as (
        select clock, step from alarm
        where clock in (select id from clock where account = $1 and thread = any($2::text[]))
        order by clock
        for update
    )
    select c.id, c.account, c.thread, c.revision, coalesce(h.step, c.step) as step, c.breached_at,
           c.corrected_at, c.correction, c.history, c.counted, c.promise, c.waits_for, c.metric,
           c.policy_version, c.members, c.started_by, c.started_at, c.due_at, c.due_from, c.steps,
           c.stopped_at, c.stopped_by, c.ended, c.reason, c.flags, c.kind, c.language
    from clock c left join held h on h.clock = c.id
    where c.account = $1 and c.thread = any($2::text[])
    order by c.id
    for no key update of c
"""
OF_THREADS = """
    select c.id, c.account, c.thread, c.revision, coalesce(a.step, c.step) as step, c.breached_at,
           c.corrected_at, c.correction, c.history, c.counted, c.promise, c.waits_for, c.metric,
           c.policy_version, c.members, c.started_by, c.started_at, c.due_at, c.due_from, c.steps,
           c.stopped_at, c.stopped_by, c.ended, c.reason, c.flags
    from clock c left join alarm a on a.clock = c.id
    where c.account = $1 and c.thread = any($2::text[])
    order by c.started_at, c.id
"""
RUNNING = """
    select c.id, c.account, c.thread, c.revision, coalesce(a.step, c.step) as step, c.breached_at,
           c.corrected_at, c.correction, c.history, c.counted, c.promise, c.waits_for, c.metric,
           c.policy_version, c.members, c.started_by, c.started_at, c.due_at, c.due_from, c.steps,
           c.stopped_at, c.stopped_by, c.ended, c.reason, c.flags
    from clock c left join alarm a on a.clock = c.id
    where c.ended is null and c.history = $2 and c.due_at < coalesce($3::timestamptz, 'infinity')
      and ($1::text is null or c.account = $1)
    order by c.due_at
    limit $4
"""
NEXT_IDS = "select array_agg(nextval('clock_id_seq')) from generate_series(1, $1)"
# Of a new row; what is not named here has its default.
COLUMNS = (
    "account", "promise", "waits_for", "metric", "policy_version", "due_from", "ended", "reason",
    "history", "counted", "flags", "kind", "language", "thread", "members", "started_by",
    "started_at", "due_at", "steps", "stopped_at", "stopped_by", "breached_at",
)  # fmt: skip
CHANGE = """
    update clock
    set account = $2, thread = $3, revision = $4, step = $5, breached_at = $6, corrected_at = $7,
        correction = $8, history = $9, promise = $10, waits_for = $11, metric = $12,
        policy_version = $13, members = $14, started_by = $15, started_at = $16, due_at = $17,
        due_from = $18, steps = $19, stopped_at = $20, stopped_by = $21, ended = $22,
        reason = $23, flags = $24, counted = $25, kind = $26, language = $27
    where id = $1
"""
ENTER = "insert into clock_entry (clock, at, what, before, after) values ($1, $2, $3, $4, $5)"
ENTRIES = """
    select clock, at, what, before, after from clock_entry where clock = any($1) order by clock, at
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the clocks of some threads of one account are to be: see `put`."""

    computed: Mapping[str, Computed]
    known: Collection[str]
    monitored_since: datetime


@dataclass(frozen=True, slots=True)
class Put:
    """What `put` came to: clocks that a reply ended just now, and the earliest step to be told."""

    replied: tuple[ClockRow, ...] = ()
    next_alert_at: datetime | None = None


async def put(
    db: Db,
    rules: Rules,
    account: str,
    computed: Mapping[str, Computed],
    now: datetime,
    *,
    known: Collection[str],
    monitored_since: datetime,
    sure: bool = True,
) -> Put:
    """Make the rows of some threads (locked, all that changed together) agree with *computed*.

    *known* are those of them that may have rows; the others were written in this transaction.
    Rows are inserted, changed and ended, never removed; the watcher's memory changes only as
    `core.agree` says. What is to be told and counted of it goes into the same transaction.

    Raises:
        Unstorable: PostgreSQL refuses a value.
    """
    wanted = Wanted(computed, known, monitored_since)
    return (await put_all(db, rules, {account: wanted}, now, sure=sure))[account]


async def put_all(
    db: Db, rules: Rules, wanted: Mapping[str, Wanted], now: datetime, *, sure: bool = True
) -> dict[str, Put]:
    """As `put`, of several accounts in common statements; what it came to, by account.

    Raises:
        Unstorable: PostgreSQL refuses a value.
    """
    threads = described.of(wanted)
    rows, outdated = await _rows_of(db, wanted, threads)
    changes = {
        account: agree(
            account, rows[account], one.computed, now,
            monitored_since=one.monitored_since, sure=sure,
        )
        for account, one in wanted.items()
    }  # fmt: skip
    with refusing():
        await described.restate(db, outdated, threads)
        next_alert_at = await _write(db, changes, threads, now)
        await _tell(db, rules, changes.values(), now)
        for account, of in changes.items():
            await moving.follow(db, account, rows[account], of.changed, now)
        done = {account: _done(rows[account], changes[account]) for account in wanted}
        await claims.answered(db, done, now)
    return {
        account: Put(_replied(rows[account], changes[account]), next_alert_at[account])
        for account in wanted
    }


async def of_thread(db: Db, account: str, thread: str) -> list[ClockRow]:
    """All clocks of a thread, in the order in which they started."""
    return await of_threads(db, account, [thread])


async def of_threads(db: Db, account: str, threads: Collection[str]) -> list[ClockRow]:
    """All clocks of *threads*, in the order in which they started; nothing is locked."""
    return [_clock_row(row) for row in await db.fetch(OF_THREADS, account, threads)]


async def running(
    db: Db,
    account: str | None = None,
    *,
    history: bool = False,
    due_before: datetime | None = None,
    limit: int = 1000,
) -> list[ClockRow]:
    """Running clocks by deadline, of one account or all; those of *history*, or the others."""
    rows = await db.fetch(RUNNING, account, history, due_before, limit)
    return [_clock_row(row) for row in rows]


async def entries(db: Db, clocks: Collection[int]) -> dict[int, list[tuple[datetime, Entry]]]:
    """The history of each clock, oldest line first."""
    found: dict[int, list[tuple[datetime, Entry]]] = defaultdict(list)
    for clock, at, what, before, after in await db.fetch(ENTRIES, clocks):
        found[clock].append((at, Entry(clock, what, before, after)))
    return found


async def _rows_of(
    db: Db, wanted: Mapping[str, Wanted], threads: Described
) -> tuple[defaultdict[str, list[ClockRow]], set[Ref]]:
    """The rows of known threads by account, locked, accounts in order; who of them is outdated.

    That is whose running clocks say otherwise of their thread than *threads*.
    """
    found: defaultdict[str, list[ClockRow]] = defaultdict(list)
    outdated: set[Ref] = set()
    for account, one in sorted(wanted.items()):
        if one.known:
            rows = await db.fetch(ROWS, account, one.known)
            found[account] = [_clock_row(row) for row in rows]
            outdated |= described.outdated(rows, threads)
    return found, outdated


def _replied(rows: Iterable[ClockRow], changes: Changes) -> tuple[ClockRow, ...]:
    """Those that a reply ended just now, new ones included."""
    running = {row.id for row in rows if row.clock.ended is None}
    written = (*changes.new, *changes.changed)
    return tuple(r for r in written if _is_measured(r) and (r.id is None or r.id in running))


def _done(rows: Iterable[ClockRow], changes: Changes) -> set[str]:
    """The threads of which an answer, a mark or the marketplace has ended a clock just now."""
    running = {row.id for row in rows if row.clock.ended is None}
    return {row.thread for row in changes.changed if row.id in running and _is_done(row)}


def _is_done(row: ClockRow) -> bool:
    if row.clock.ended == "void":
        return row.clock.reason not in (GONE, MERGED)
    return row.clock.ended == "met" or row.is_replied


def _is_measured(row: ClockRow) -> bool:
    return row.is_replied and not row.history and SUPERSEDED not in row.clock.flags


async def _write(
    db: Db, changes: Mapping[str, Changes], threads: Described, now: datetime
) -> dict[str, datetime | None]:
    """Write rows, alarms, entries and counts; the earliest step to be told, by account."""
    all_ = changes.values()
    new = {account: [alarms.of(row) for row in of.new] for account, of in changes.items()}
    changed = {account: [alarms.of(row) for row in of.changed] for account, of in changes.items()}
    ids = iter(await _add(db, all_, list(chain.from_iterable(new.values())), threads))
    numbers = {account: list(islice(ids, len(of.new))) for account, of in changes.items()}
    rows = [row for of in all_ for row in of.changed]
    if rows:
        written = [(row.id or 0, *_columns(row), *described.cells(row, threads)) for row in rows]
        await db.executemany(CHANGE, sorted(written, key=itemgetter(0)))
        await alarms.put(db, zip(rows, chain.from_iterable(changed.values()), strict=True))
    lines = [_line(e, numbers[a], now) for a, of in changes.items() for e in of.entries]
    if lines:
        await db.executemany(ENTER, lines)
    counts = {(a, *what): n for a, of in changes.items() for what, n in of.counts.items()}
    await tally.add(db, counts)
    return {a: alarms.first_to_tell((*new[a], *changed[a])) for a in changes}


async def _add(
    db: Db, changes: Collection[Changes], new: Sequence[Alarm | None], threads: Described
) -> Sequence[int]:
    """Write new rows and their alarms; their ids, where one of those or an entry asks for one."""
    if not new:
        return []
    rows = _rows([row for of in changes for row in of.new], threads)
    if not any(new) and not any(entry.clock < 0 for of in changes for entry in of.entries):
        await copied.write(db, "clock", COLUMNS, rows)
        return []
    ids: list[int] = await db.fetchval(NEXT_IDS, len(rows))
    numbered = [row + copied.bigint(id_) for id_, row in zip(ids, rows, strict=True)]
    await copied.write(db, "clock", (*COLUMNS, "id"), numbered)
    await alarms.add(db, zip(ids, new, strict=True))
    return ids


def _line(entry: Entry, ids: Sequence[int], now: datetime) -> tuple[object, ...]:
    """The row of *entry*; its clock may be one that has only just got an id from *ids*."""
    clock = entry.clock if entry.clock > 0 else ids[-1 - entry.clock]
    return clock, now, entry.what, entry.before, entry.after


async def _tell(db: Db, rules: Rules, changes: Collection[Changes], now: datetime) -> None:
    by_word: dict[str, list[int]] = defaultdict(list)
    for clock, word in chain.from_iterable(of.drop.items() for of in changes):
        by_word[word].append(clock)
    for word, clocks in by_word.items():
        await notices.drop(db, clocks, word)
        await escalations.stop(db, clocks, word, now)
    await escalations.carry(db, [id_ for of in changes for id_ in of.reshaped])
    await notices.correct(db, [notice for of in changes for notice in of.corrections])
    await notices.raise_(db, rules, [notice for of in changes for notice in of.notices])
    changed = [row.id for of in changes for row in of.changed if row.id is not None]
    back = [n.clock for of in changes for n in of.corrections if n.clock is not None]
    await incidents.settle(db, changed, now, taken_back=back)


def _rows(new: Iterable[ClockRow], threads: Described) -> list[bytes]:
    """Rows of `COLUMNS`; what many of them have in common is put together once."""
    known: dict[tuple[object, ...], bytes] = {}
    rows = []
    for row in new:
        c = row.clock
        same = (
            row.account, c.promise, c.waits_for, c.metric, c.policy_version, c.due_from, c.ended,
            c.reason, row.history, row.counted, c.flags, *(said := described.cells(row, threads)),
        )  # fmt: skip
        if (begin := known.get(same)) is None:
            begin = known.setdefault(same, _same_cells(row, said))
        rows.append(begin + _cells(row))
    return rows


def _same_cells(row: ClockRow, said: Iterable[str | None]) -> bytes:
    """The first cells, of which many rows have the same."""
    c = row.clock
    return b"".join((
        copied.text(row.account),
        copied.text(c.promise),
        copied.text(c.waits_for),
        copied.text(c.metric),
        copied.integer(c.policy_version),
        copied.text(c.due_from),
        copied.text(c.ended),
        copied.text(c.reason),
        copied.boolean(row.history),
        copied.boolean(row.counted),
        copied.texts(sorted(c.flags)),
        *map(copied.text, said),
    ))  # fmt: skip


def _cells(row: ClockRow) -> bytes:
    c = row.clock
    return b"".join((
        copied.text(row.thread),
        copied.texts(c.members),
        copied.text(c.started_by),
        copied.instant(c.started_at),
        copied.instant(c.due_at),
        copied.instants(c.steps),
        copied.instant(c.stopped_at),
        copied.text(c.stopped_by),
        copied.instant(row.breached_at),
    ))  # fmt: skip


def _columns(row: ClockRow) -> tuple[object, ...]:
    c = row.clock
    return (
        row.account, row.thread, row.revision, row.step, row.breached_at, row.corrected_at,
        row.correction, row.history, c.promise, c.waits_for, c.metric, c.policy_version,
        c.members, c.started_by, c.started_at, c.due_at, c.due_from, c.steps, c.stopped_at,
        c.stopped_by, c.ended, c.reason, sorted(c.flags), row.counted,
    )  # fmt: skip


def _clock_row(row: Record) -> ClockRow:
    members, steps, flags = row["members"], row["steps"], row["flags"]
    remembered = {name: row[name] for name in _REMEMBERED}
    computed = {name: row[name] for name in _COMPUTED}
    clock = Clock(
        waits_for=Party(row["waits_for"]),
        members=tuple(members),
        steps=tuple(steps),
        flags=frozenset(flags),
        **computed,
    )
    return ClockRow(clock=clock, **remembered)


_REMEMBERED = (
    "id", "account", "thread", "revision", "step", "breached_at", "corrected_at", "correction",
    "history", "counted",
)  # fmt: skip
_COMPUTED = (
    "promise", "metric", "policy_version", "started_by", "started_at", "due_at", "due_from",
    "stopped_at", "stopped_by", "ended", "reason",
)  # fmt: skip
