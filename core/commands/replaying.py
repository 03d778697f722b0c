"""`replay`: what another policy would have meant for what is stored."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import click

from core import loops, settings
from core.arrival import computing
from core.commands import opening, shown
from core.errors import Mistaken
from core.remember import is_history
from core.rules import Rules, with_mark
from core.running import takeover
from core.spoken import by, percent, span
from core.store import EVER, accounts, history, policies, transaction
from sla import contract as contracts
from sla import replay as replaying
from sla.clock import SUPERSEDED
from sla.contract import Counts, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from core.configuration.configured import Configured
    from core.settings import Settings
    from core.store import Pool
    from core.store.history import Batch
    from sla.clock import Clock
    from sla.contract import Standing
    from sla.policy import Policy
    from sla.replay import Change, Fate

    Both = tuple[Rules, Rules]
    Promises = Mapping[str, Sequence[Policy]]

FATES = ("met", "missed", "void", "running")
HOURS = 24


class Asked(NamedTuple):
    """Which waitings are looked at: of one account or all, those that began from *begin* on.

    And before *end*; None is without bound. *most* threads that would have fared otherwise are
    named.
    """

    account: str | None
    begin: datetime | None
    end: datetime | None
    most: int


class Place(NamedTuple):
    """A promise of an account, and the policy by which its numbers are judged at the end."""

    account: str
    promise: str


class Moved(NamedTuple):
    """A waiting that would have fared otherwise; *late* by at most so much, now or then.

    *was* and *would_be* are what became of it, None where it was no waiting of the promise.
    """

    account: str
    thread: str
    promise: str
    was: Fate | None
    would_be: Fate | None
    due_was: datetime | None
    due_would_be: datetime | None
    late: timedelta


@dataclass(slots=True)
class Side:
    """What the clocks of one promise come to under one policy."""

    policy: Policy | None = None
    fates: Counter[str] = field(default_factory=Counter)
    counts: Counts = field(default_factory=Counts)
    warnings: list[int] = field(default_factory=lambda: [0] * HOURS)

    def add(self, clocks: Sequence[Clock], window: Window, at: datetime) -> None:
        """Count some more; a contract counts as it does, warnings by the hour of the day."""
        policy = self.policy
        if policy is None:
            return
        self.fates.update(replaying.fate(clock, at) for clock in clocks)
        contract = contracts.of(policy)[0]
        judged = [replaying.judged(clock) for clock in clocks]
        self.counts = self.counts.plus(contracts.count(judged, policy, contract, window, at))
        for clock in clocks:
            for step in replaying.warned(clock, at):
                self.warnings[policy.calendar.local(step).hour] += 1

    def standing(self, window: Window) -> Standing | None:
        """How the first contract of the policy stands; None where there is no policy."""
        if self.policy is None:
            return None
        contract = contracts.of(self.policy)[0]
        return contracts.standing(contract, window.ends - window.begins, self.counts, window)


@dataclass(slots=True)
class Replay:
    """All that a replay finds: it grows with the promises, not with the history."""

    window: Window
    at: datetime
    most: int
    now: dict[Place, Side] = field(default_factory=dict)
    then: dict[Place, Side] = field(default_factory=dict)
    moved: list[Moved] = field(default_factory=list)
    changed: int = 0
    threads: int = 0

    def begin(self, account: str, both: Both) -> None:
        """Make room for the promises of *account*: each is judged by its latest version."""
        last = [{p.name: p for p in rules.policies[account]} for rules in both]
        for promise in sorted({*last[0], *last[1]}):
            place = Place(account, promise)
            self.now[place] = Side(last[0].get(promise))
            self.then[place] = Side(last[1].get(promise))

    def read(self, account: str, since: datetime, batch: Batch, both: Both) -> None:
        """Take in some threads of *account*, which is monitored *since* an instant."""
        now, then = (self._clocks(account, since, batch, rules) for rules in both)
        self.threads += len(batch.threads)
        self._count(account, self.now, now.values())
        self._count(account, self.then, then.values())
        moved = [
            found
            for thread in batch.threads
            for change in replaying.paired(now[thread], then[thread])
            if (found := _moved(account, thread, change, self.at)) is not None
        ]
        self.changed += len(moved)
        self.moved = nlargest(self.most, [*self.moved, *moved], key=_affected)

    def _clocks(
        self, account: str, since: datetime, batch: Batch, rules: Rules
    ) -> dict[str, list[Clock]]:
        """By thread, the clocks of promises that began in the window and are no history."""
        found = computing.computed(rules, account, batch.threads, batch.turns, batch.given)
        return {
            thread: [
                clock
                for clock in of.clocks
                if clock.policy_version is not None
                and SUPERSEDED not in clock.flags
                and self.window.holds(clock.started_at)
                and not is_history(clock, since)
            ]
            for thread, of in found.items()
        }

    def _count(
        self, account: str, sides: Mapping[Place, Side], clocks: Iterable[Sequence[Clock]]
    ) -> None:
        by_promise: defaultdict[str, list[Clock]] = defaultdict(list)
        for clock in chain.from_iterable(clocks):
            by_promise[clock.promise].append(clock)
        for promise, own in by_promise.items():
            sides[Place(account, promise)].add(own, self.window, self.at)


async def replay(path: Path, file: Path, asked: Asked, *, as_json: bool) -> None:
    """Show what the policies in *file* would have meant.

    Raises:
        SettingsError: of the settings or of *file*, with every complaint.
        Mistaken: no account is called so, or nothing of it is stored.
    """
    configured, now = opening.read(path), loops.utcnow()
    if asked.account is not None:
        opening.known(configured, asked.account)
    other = settings.promises_of(file, configured, now)
    async with opening.database(configured) as pool:
        found = await _replay(pool, configured, other, asked, now)
    if as_json:
        click.echo(json.dumps(_told(found), indent=2, ensure_ascii=False))
    else:
        _show(found)


async def _replay(
    pool: Pool, configured: Settings, other: Promises, asked: Asked, now: datetime
) -> Replay:
    names = list(configured.accounts) if asked.account is None else [asked.account]
    found = Replay(Window(asked.begin or EVER, min(asked.end or now, now)), now, asked.most)
    async with transaction(pool) as db:
        await db.execute(history.READ_ONLY)
        watched = {n: await accounts.watched_since(db, n, share=False) for n in names}
        versions = await policies.in_force(db, names)
    held = takeover.as_they_hold(versions, {n: configured.accounts[n] for n in names})
    known = {policy.name for of in held.values() for policy in of}
    for name in names:
        since, one = watched[name], configured.accounts[name]
        mine = {p: v for p, v in other.items() if p not in known or _has(held[name], p)}
        if since is not None and mine:
            both = _both(one, configured, held[name], mine)
            found.begin(name, both)
            async for batch in history.batches(pool, name, asked.begin):
                found.read(name, since, batch, both)
    if not found.then:
        raise Mistaken("nothing is stored of an account that has one of these promises")
    return found


def _has(held: Sequence[Policy], name: str) -> bool:
    return any(policy.name == name for policy in held)


def _both(one: Configured, configured: Settings, held: Sequence[Policy], other: Promises) -> Both:
    """The rules of an account for the promises of *other*: as they are, and as they would be."""
    own = [policy for policy in held if policy.name in other]
    would_be = with_mark(replaying.substituted(own, other), own_mark=one.own_mark)
    name = one.account.name
    now, then = (
        Rules({name: one.account}, {name: tuple(of)}, configured.routing) for of in (own, would_be)
    )
    return now, then


def _moved(account: str, thread: str, change: Change, at: datetime) -> Moved | None:
    """What became otherwise of a waiting; None where it fared the same.

    One that is none under one of the two fared otherwise where the other missed it.
    """
    there = [clock for clock in change if clock is not None]
    was, would_be = (clock and replaying.fate(clock, at) for clock in change)
    fates = {was, would_be}
    if len(fates) == 1 or (None in fates and "missed" not in fates):
        return None
    late = max(replaying.lateness(clock, at) for clock in there)
    due = [clock and clock.due_at for clock in change]
    return Moved(account, thread, there[0].promise, was, would_be, due[0], due[1], late)


def _affected(moved: Moved) -> timedelta:
    return moved.late


def _told(found: Replay) -> dict[str, object]:
    begin, end = found.window
    return {
        "from": None if begin == EVER else begin.isoformat(),
        "until": end.isoformat(),
        "threads_read": found.threads,
        "promises": [
            {"account": place.account, "promise": place.promise}
            | {"now": _side(found.now[place], found), "then": _side(then, found)}
            for place, then in found.then.items()
        ],
        "changed": found.changed,
        "threads": [_row(moved) for moved in found.moved],
    }


def _side(side: Side, found: Replay) -> dict[str, object] | None:
    standing = side.standing(found.window)
    if standing is None:
        return None
    share, mean = standing.attainment, standing.mean
    return {name: side.fates[name] for name in FATES} | {
        "measure": standing.contract.measure,
        "counted": standing.counted,
        "attainment": None if share is None else float(share),
        "mean_reply_seconds": None if mean is None else mean.total_seconds(),
        "verdict": standing.verdict,
        "warnings": sum(side.warnings),
        "warnings_by_hour": side.warnings,
    }


def _row(moved: Moved) -> dict[str, object]:
    return {
        "account": moved.account,
        "thread": moved.thread,
        "promise": moved.promise,
        "was": moved.was,
        "would_be": moved.would_be,
        "due_was": moved.due_was and moved.due_was.isoformat(),
        "due_would_be": moved.due_would_be and moved.due_would_be.isoformat(),
        "late_seconds": moved.late.total_seconds(),
    }


def _show(found: Replay) -> None:
    rows = [_line(place, found) for place in found.then]
    shown.rows(rows, as_json=False, none="")
    if found.moved:
        click.echo()
        shown.rows([_named(moved) for moved in found.moved], as_json=False, none="")
    more = found.changed - len(found.moved)
    left = f" ({more} are not named; for more: --most)" if more else ""
    threads, changed = found.threads, found.changed
    click.echo(
        f"\n{threads} {by(threads, 'thread', 'threads')} read; {changed} "
        f"{by(changed, 'waiting', 'waitings')} would have fared otherwise{left}. "
        "Nothing was written."
    )


def _line(place: Place, found: Replay) -> dict[str, object]:
    """What was, and what would have been, of one promise."""
    now, then = (_cells(sides[place], found) for sides in (found.now, found.then))
    both: dict[str, object] = {name: f"{now[name]} > {then[name]}" for name in then}
    return {"account": place.account, "promise": place.promise} | both


def _cells(side: Side, found: Replay) -> dict[str, str]:
    names = (*FATES, "in_time", "mean_reply", "warnings")
    standing = side.standing(found.window)
    if standing is None:
        return dict.fromkeys(names, "-")
    share, mean = percent(standing.attainment), standing.mean
    told = share or "-", "-" if mean is None else span(mean), str(sum(side.warnings))
    return dict(zip(names, (*(str(side.fates[name]) for name in FATES), *told), strict=True))


def _named(moved: Moved) -> dict[str, object]:
    return {
        "account": moved.account,
        "thread": moved.thread,
        "promise": moved.promise,
        "was": moved.was,
        "would_be": moved.would_be,
        "due_was": moved.due_was,
        "due_would_be": moved.due_would_be,
        "late": span(moved.late) if moved.late.total_seconds() > 0 else None,
    }
