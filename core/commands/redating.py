"""`redate`: says since when a promise has been in force in truth, and what that moves."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import click

from core import loops
from core.agree import agree
from core.arrival import computing
from core.commands import opening, shown
from core.configuration.complaints import nearest
from core.errors import Mistaken
from core.rules import Rules
from core.running import takeover
from core.store import (
    accounts,
    definitions,
    history,
    policies,
    redates,
    statement,
    transaction,
    wake,
    workers,
)
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from core.model import ClockRow
    from core.settings import Settings
    from core.store import Db, Pool
    from core.store.policies import Version

LOOK_EVERY = 0.25
PATIENCE = 120.0
"""Seconds for which a daemon is waited for; what is left it does without anybody waiting."""
NAMED = 10
"""So many threads are named to a person."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded last of a promise, when, and what was *said* before of since when it counts.

    *holders* are the accounts that have it, and since when each is monitored.
    """

    name: str
    versions: Sequence[Version]
    loaded_at: datetime
    said: datetime | None
    holders: Mapping[str, datetime]


@dataclass(slots=True)
class Moves:
    """What a re-date changes in an account."""

    counts: Counter[str] = field(default_factory=Counter)
    threads: list[str] = field(default_factory=list)


async def redate(
    path: Path, name: str, begin: datetime | date, *, dry_run: bool, yes: bool
) -> None:
    """Say that what was loaded last of the promise *name* is in force since *begin*.

    Raises:
        Mistaken: there is no such promise, or it cannot have been in force since then.
    """
    configured, now = opening.read(path), loops.utcnow()
    async with opening.database(configured) as pool:
        async with transaction(pool) as db:
            loaded = await _loaded(db, name)
        since = _instant(loaded, begin)
        _refuse(loaded, configured, since, now)
        moves = await _moves(pool, configured, loaded, since, now)
        _show(loaded, since, moves)
        if dry_run:
            return
        if not (yes or _agreed()):
            raise Mistaken("nothing was changed; say so with --yes, or look with --dry-run")
        async with transaction(pool) as db:
            if not await redates.say(db, name, loaded.loaded_at, since, now):
                raise Mistaken(f"{name} was loaded anew meanwhile; look at it again")
            await wake.send(db, "redate")
            beside = await workers.alive(db) > 0
        if beside and not await _done_by_the_daemon(pool, loaded):
            click.echo("The daemon goes on with it.")
            return
    if not beside:
        async with opening.ruled(configured):
            pass  # whoever takes the settings over computes what is left
    click.echo("Done.")


async def _loaded(db: Db, name: str) -> Loaded:
    versions = await policies.last_loaded(db, name)
    holders = await redates.holders(db, name)
    if not versions or not holders:
        hint = nearest(name, await redates.promised(db))
        raise Mistaken(f"no account has a promise that is called {name}; {hint}")
    loaded_at = versions[0].loaded_at
    said = (await redates.begun(db, [name])).get((name, loaded_at))
    return Loaded(name, versions, loaded_at, said, holders)


def _instant(loaded: Loaded, begin: datetime | date) -> datetime:
    """A day begins at midnight where the calendar of the promise is.

    Raises:
        Mistaken: it lies beyond all dates.
    """
    if isinstance(begin, datetime):
        return begin
    last = loaded.versions[-1]
    calendar = definitions.load(last.name, last.version, last.definition).calendar
    try:
        return calendar.bounds(begin)[0]
    except OverflowError:
        raise Mistaken("that day lies beyond all dates; name one since which it counts") from None


def _refuse(loaded: Loaded, configured: Settings, since: datetime, now: datetime) -> None:
    """Refuse what cannot be, or would not say what it seems to.

    Raises:
        Mistaken: with the way to mend it.
    """
    name = loaded.name
    said = [p for found in configured.accounts.values() for p in found.promises if p.name == name]
    known = {policy.version: policy for policy in said}.values()
    if said and not policies.is_said(loaded.versions, known):
        raise Mistaken(
            f"the settings say something else of {name} than what was loaded last; "
            "reload the daemon (SIGHUP) or start it, and say this again"
        )
    if since > now:
        raise Mistaken(
            "that lies in the future; a promise that begins later has an effective_from in the "
            "settings"
        )
    if since > loaded.loaded_at:
        raise Mistaken(f"it is in force since {in_utc(loaded.loaded_at)}; name an earlier instant")
    dates = [version.effective_from for version in loaded.versions]
    first = min((date for date in dates if date), default=since)
    if None not in dates and since < first:
        raise Mistaken(
            f"it begins by its own dates at {in_utc(first)}; name that or a later instant, or give "
            "it an earlier effective_from in the settings"
        )
    watched = min(loaded.holders.values())
    if since < watched:
        raise Mistaken(
            f"none of its accounts was watched before {in_utc(watched)}, and what was due before "
            "that is history; name that or a later instant"
        )


async def _moves(
    pool: Pool, configured: Settings, loaded: Loaded, since: datetime, now: datetime
) -> dict[str, Moves]:
    """What would change, by account; nothing is written."""
    there = {n: configured.accounts[n] for n in loaded.holders if n in configured.accounts}
    supposed = {(loaded.name, loaded.loaded_at): since}
    async with transaction(pool) as db:
        versions = await policies.in_force(db, list(there), supposed)
    earliest = min(since, loaded.said or since)
    told = {n: found.account for n, found in there.items()}
    rules = Rules(told, takeover.as_they_hold(versions, there), configured.routing)
    return {n: await _moves_of(pool, rules, n, loaded, earliest, now) for n in there}


async def _moves_of(
    pool: Pool, rules: Rules, account: str, loaded: Loaded, since: datetime, now: datetime
) -> Moves:
    moves = Moves()
    async for batch in history.batches(pool, account, since):
        computed = computing.computed(rules, account, batch.threads, batch.turns, batch.given)
        changes = agree(account, batch.rows, computed, now, monitored_since=loaded.holders[account])
        old = {row.id: row for row in batch.rows}
        for row in (*changes.new, *changes.changed):
            if words := list(_words(old.get(row.id), row, now)):
                moves.counts.update(words)
                moves.threads.append(row.thread)
        moves.counts["corrected"] += len(changes.corrections)
    return moves


def _words(old: ClockRow | None, row: ClockRow, now: datetime) -> Iterator[str]:
    """What becomes of a clock, in words of the columns of the table."""
    if old is None:
        yield "new"
        if row.clock.state(now) in ("late", "overdue"):
            yield "new_late"
        return
    if row.clock.due_at != old.clock.due_at:
        yield "sooner" if row.clock.due_at < old.clock.due_at else "later"
    before, after = old.clock.state(now), row.clock.state(now)
    if before != after:
        yield "late" if after in ("late", "overdue") else "in_time" if after != "void" else "void"


COLUMNS = ("sooner", "later", "late", "in_time", "void", "new", "new_late", "corrected")


def _show(loaded: Loaded, since: datetime, moves: Mapping[str, Moves]) -> None:
    rows = [
        {"account": name, "threads": len(set(found.threads))}
        | {column: found.counts[column] for column in COLUMNS}
        for name, found in moves.items()
        if found.threads
    ]
    versions = ", ".join(str(version.version) for version in loaded.versions)
    click.echo(f"{loaded.name}, version {versions}, in force since {in_utc(since)}:")
    shown.rows(rows, as_json=False, none="no clock moves")
    named = [f"{name} {thread}" for name, m in moves.items() for thread in dict.fromkeys(m.threads)]
    if named:
        more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        click.echo(f"Threads: {', '.join(named[:NAMED])}{more}")


def _agreed() -> bool:
    """Whether a person says yes; nobody is asked who is not there."""
    return sys.stdin.isatty() and click.confirm("Say so, and move these clocks?")


async def _done_by_the_daemon(pool: Pool, loaded: Loaded) -> bool:
    """Wait until a daemon has computed it all; False where that takes too long."""
    for _ in range(int(PATIENCE / LOOK_EVERY)):
        async with statement(pool) as db:
            if not loaded.holders.keys() & (await accounts.outdated(db)).keys():
                return True
        await loops.pause(asyncio.Event(), LOOK_EVERY)
    return False
