"""Versions of promises as rows, never edited, and which account has which promise since when.

Each loading that differs from the last writes the promise's whole set of dated versions anew; it
rules from the moment it was loaded, or from its first date where that is later, and what was loaded
before rules the time before. So an earlier date counts only for the first version of a name, and a
change moves no open clock; but where an operator has said since when a loading was in force in
truth (`core.store.redates`), it rules from then, and an account that got the promise with that
loading has it from then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError
from core.store import EVER, FOREVER, accounts, definitions, redates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.store import Db
    from core.store.redates import Begun
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
    return await in_force(db, configured)


async def in_force(
    db: Db, names: Collection[str], supposed: Begun = MappingProxyType({})
) -> dict[str, tuple[Policy, ...]]:
    """What `load` says of the accounts *names*, as it is stored.

    *supposed*: what would be, if this was said of when loadings began.
    """
    had = await _promises(db, names)
    promises = {name for promises in had.values() for name in promises}
    stored = await _versions(db, promises)
    begun = {**await redates.begun(db, promises), **supposed}
    return {account: tuple(_in_force(had[account], stored, begun)) for account in names}


async def last_loaded(db: Db, name: str) -> list[Version]:
    """The versions of *name* that were loaded last, in the order of their dates."""
    return _last((await _versions(db, [name])).get(name, []))


def is_said(stored: Sequence[Version], policies: Iterable[Policy]) -> bool:
    """Whether *policies*, all of one name, say what was loaded last."""
    said = sorted(policies, key=lambda policy: policy.effective_from or EVER)
    return [definitions.dump(policy) for policy in said] == [row.definition for row in stored]


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


def _in_force(
    promises: Spans, stored: Mapping[str, Sequence[Version]], begun: Begun
) -> Iterator[Policy]:
    for name, spans in promises.items():
        for row, begin, end in _timeline(stored.get(name, []), begun):
            policy = definitions.load(name, row.version, row.definition)
            for since, until in spans:
                first, last = max(begin, begun.get((name, since), since)), min(end, until)
                if first < last:
                    yield _during(policy, first, last)


def _timeline(
    versions: Sequence[Version], begun: Begun
) -> Iterator[tuple[Version, datetime, datetime]]:
    """Each version with the interval in which it rules: its own dates, while its loading does.

    A loading rules until a later one takes effect, not only until that was loaded.
    """
    loadings = [list(group) for _, group in groupby(versions, key=lambda row: row.loaded_at)]
    for number, loading in enumerate(loadings):
        opens = _begins(loading, begun) if number else EVER
        closes = min(
            (_takes_effect(each, begun) for each in loadings[number + 1 :]), default=FOREVER
        )
        for row in loading:
            begin = max(opens, row.effective_from or EVER)
            end = min(closes, row.effective_to or FOREVER)
            if begin < end:
                yield row, begin, end


def _begins(loading: Sequence[Version], begun: Begun) -> datetime:
    first = loading[0]
    return begun.get((first.name, first.loaded_at), first.loaded_at)


def _takes_effect(loading: Sequence[Version], begun: Begun) -> datetime:
    return max(_begins(loading, begun), min(row.effective_from or EVER for row in loading))


def _during(policy: Policy, begin: datetime, end: datetime) -> Policy:
    return replace(
        policy,
        effective_from=None if begin == EVER else begin,
        effective_to=None if end == FOREVER else end,
    )
