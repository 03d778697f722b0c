"""Versions of promises as rows, never edited, and which account has which promise since when.

Each loading that differs from the last writes the promise's whole set of dated versions anew; it
rules from the moment it was loaded, or from its first date where that is later, and what was loaded
before rules the time before. So an earlier date counts only for the first version of a name, and a
change moves no open clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError
from core.store import EVER, FOREVER, accounts, definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.store import Db
    from sla.policy import Policy

    Spans = dict[str, list[tuple[datetime, datetime]]]

A_MOMENT = timedelta(microseconds=1)

# One loader at a time: two daemons that start together must not both write a version.
ALONE = "lock table policy_version, promise in share row exclusive mode"
VERSIONS = """
    select name, version, definition, effective_from, effective_to, loaded_at
    from policy_version where name = any($1) order by name, version
"""
ADD_VERSION = """
    insert into policy_version (name, version, definition, effective_from, effective_to, loaded_at)
    values ($1, $2, $3, $4, $5, $6)
"""
PROMISES = """
    select account, name, since, until from promise where account = any($1)
    order by account, name, since
"""
ADD_PROMISE = "insert into promise (account, name, since) values ($1, $2, $3)"
END_PROMISE = """
    update promise set until = $3 where account = $1 and name = $2 and until is null
"""
VERSION = """
    select definition from policy_version where name = $1 and version = $2
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A stored version: what it says, the dates it was given, and when it was loaded."""

    name: str
    version: int
    definition: dict[str, Any]
    effective_from: datetime | None
    effective_to: datetime | None
    loaded_at: datetime


async def load(
    db: Db, configured: Mapping[str, Sequence[Policy]], now: datetime
) -> dict[str, tuple[Policy, ...]]:
    """Take over the promises that the settings give each account, which has its row already.

    Returns:
        By account, every version of every promise that it has or had, in disjoint intervals: at
        an instant at most one version of a name is in force.

    Raises:
        SettingsError: two accounts say different things under one name.
    """
    await db.execute(ALONE)
    wanted = _by_name(configured)
    had = await _promises(db, configured)
    names = {name for promises in had.values() for name in promises} | wanted.keys()
    stored = await _versions(db, names)
    await _assign(db, configured, had, stored, now)
    await _add_versions(db, wanted, stored, now)
    stored = await _versions(db, names)
    had = await _promises(db, configured)
    return {account: tuple(_in_force(had[account], stored)) for account in configured}


async def version(db: Db, name: str, number: int) -> Policy | None:
    """One version as it was written down; None where there is none."""
    definition = await db.fetchval(VERSION, name, number)
    return None if definition is None else definitions.load(name, number, definition)


def _by_name(configured: Mapping[str, Sequence[Policy]]) -> dict[str, list[Policy]]:
    found: dict[str, list[Policy]] = {}
    for policies in configured.values():
        ordered = sorted(policies, key=lambda policy: policy.name)
        for name, versions in groupby(ordered, key=lambda policy: policy.name):
            said = sorted(versions, key=lambda policy: policy.effective_from or EVER)
            known = found.setdefault(name, said)
            if [definitions.dump(p) for p in known] != [definitions.dump(p) for p in said]:
                fault = "two accounts say different things under this name; rename one"
                raise SettingsError([f"policies.{name}: {fault}"])
    return found


async def _versions(db: Db, names: Iterable[str]) -> dict[str, list[Version]]:
    rows = [Version(*row) for row in await db.fetch(VERSIONS, sorted(names))]
    return {name: list(group) for name, group in groupby(rows, key=lambda row: row.name)}


async def _promises(db: Db, accounts: Iterable[str]) -> dict[str, Spans]:
    """By account and name of a promise, from when until when the account has had it."""
    found: dict[str, Spans] = {account: {} for account in accounts}
    for account, name, since, until in await db.fetch(PROMISES, list(found)):
        found[account].setdefault(name, []).append((since, until or FOREVER))
    return found


async def _assign(
    db: Db,
    configured: Mapping[str, Sequence[Policy]],
    had: Mapping[str, Spans],
    stored: Mapping[str, Sequence[Version]],
    now: datetime,
) -> None:
    for account, policies in configured.items():
        has = {name for name, spans in had[account].items() if spans[-1][1] == FOREVER}
        names = {policy.name for policy in policies}
        for name in sorted(names - has):
            since = EVER if not had[account] else _since(name, policies, stored, now)
            await db.execute(ADD_PROMISE, account, name, since)
            if since < now:
                await accounts.outdate(db, account, since)
        for name in sorted(has - names):
            await db.execute(END_PROMISE, account, name, now)


def _since(
    name: str,
    policies: Sequence[Policy],
    stored: Mapping[str, Sequence[Version]],
    now: datetime,
) -> datetime:
    """From when a promise counts that an account gets later: its own date, if it is new."""
    dates = [p.effective_from for p in policies if p.name == name and p.effective_from is not None]
    return now if name in stored or not dates else min(now, *dates)


async def _add_versions(
    db: Db,
    wanted: Mapping[str, Sequence[Policy]],
    stored: Mapping[str, Sequence[Version]],
    now: datetime,
) -> None:
    rows: list[tuple[object, ...]] = []
    for name, policies in wanted.items():
        known = stored.get(name, [])
        said = [definitions.dump(policy) for policy in policies]
        if said == [row.definition for row in _last(known)]:
            continue
        loaded_at = max(now, known[-1].loaded_at + A_MOMENT) if known else now
        rows += [
            (name, len(known) + number, definition, p.effective_from, p.effective_to, loaded_at)
            for number, (p, definition) in enumerate(zip(policies, said, strict=True), 1)
        ]
    await db.executemany(ADD_VERSION, rows)


def _last(versions: Sequence[Version]) -> list[Version]:
    return [row for row in versions if row.loaded_at == versions[-1].loaded_at]


def _in_force(promises: Spans, stored: Mapping[str, Sequence[Version]]) -> Iterator[Policy]:
    for name, spans in promises.items():
        for row, begin, end in _timeline(stored.get(name, [])):
            policy = definitions.load(name, row.version, row.definition)
            for since, until in spans:
                first, last = max(begin, since), min(end, until)
                if first < last:
                    yield _during(policy, first, last)


def _timeline(versions: Sequence[Version]) -> Iterator[tuple[Version, datetime, datetime]]:
    """Each version with the interval in which it rules: its own dates, while its loading does.

    A loading rules until a later one takes effect, not only until that was loaded.
    """
    loadings = [list(group) for _, group in groupby(versions, key=lambda row: row.loaded_at)]
    for number, loading in enumerate(loadings):
        opens = loading[0].loaded_at if number else EVER
        closes = min(map(_takes_effect, loadings[number + 1 :]), default=FOREVER)
        for row in loading:
            begin = max(opens, row.effective_from or EVER)
            end = min(closes, row.effective_to or FOREVER)
            if begin < end:
                yield row, begin, end


def _takes_effect(loading: Sequence[Version]) -> datetime:
    return max(loading[0].loaded_at, min(row.effective_from or EVER for row in loading))


def _during(policy: Policy, begin: datetime, end: datetime) -> Policy:
    return replace(
        policy,
        effective_from=None if begin == EVER else begin,
        effective_to=None if end == FOREVER else end,
    )
