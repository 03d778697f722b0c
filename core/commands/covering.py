"""`coverage`: when a message may come that nobody is there to answer before it is due."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from core import loops
from core.commands import opening, shown
from core.configuration.complaints import nearest
from core.configuration.openinghours import FIRST_YEAR, LAST_YEAR
from core.errors import SettingsError
from core.reading import blind
from core.reading.arrivals import Arrivals, zone_of
from core.spoken import by, span, walls
from core.store import sight, transaction
from sla import coverage as covering
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from core.configuration.configured import Configured
    from core.settings import Settings
    from sla.calendar import Calendar
    from sla.coverage import Hole
    from sla.policy import Policy

HIDDEN = ("role", "version", "from", "until", "answer_takes", "occurrences")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: arrivals of *days* from *begin* on, None: from today.

    *calendar* says when somebody is there, None: the opening hours of each account. *least* is the
    staffed time that an answer takes.
    """

    account: str | None
    begin: date | None
    days: int
    calendar: str | None
    least: timedelta


@dataclass(frozen=True, slots=True)
class Kind:
    """The holes of one promise that look alike on the wall of the team."""

    policy: Policy
    team: Calendar
    holes: list[Hole] = field(default_factory=list)


async def coverage(path: Path, asked: Asked, *, offline: bool, as_json: bool) -> bool:
    """Show the holes; whether there is none.

    Raises:
        click.UsageError: nobody knows yet what is a holiday then.
        SettingsError: nothing says when somebody is there to answer.
        Mistaken: no account is called so.
    """
    configured, now = opening.read(path), loops.utcnow()
    first = asked.begin or now.date()
    if first.year < FIRST_YEAR or asked.days > (date(LAST_YEAR, 12, 31) - first).days:
        fault = f"lies beyond the years for which holidays are known, {FIRST_YEAR} to {LAST_YEAR}"
        raise click.UsageError(f"--from: {fault}; name a day and --days within them")
    if asked.account is not None:
        opening.known(configured, asked.account)
    teams = _teams(configured, asked)
    found = {
        name: _kinds(configured.accounts[name], team, asked, now) for name, team in teams.items()
    }
    holed = [name for name, kinds in found.items() if kinds]
    usual = {} if offline or not holed else await _usual(configured, holed, now)
    rows = [_row(name, k, asked, usual.get(name), now) for name in holed for k in found[name]]
    none = f"no hole in {asked.days} days: whenever a message comes, somebody can answer in time"
    shown.rows(rows, as_json=as_json, none=none, hidden=HIDDEN)
    if rows and not as_json:
        click.echo(_summary(found, asked))
    return not rows


def _teams(configured: Settings, asked: Asked) -> dict[str, Calendar]:
    """By account, when somebody is there who answers."""
    names = configured.accounts if asked.account is None else (asked.account,)
    if asked.calendar is not None:
        team = configured.calendars.get(asked.calendar)
        if team is None:
            hint = nearest(asked.calendar, configured.calendars)
            raise SettingsError([f"--calendar: there is no calendar of that name; {hint}"])
        return dict.fromkeys(names, team)
    hours = {name: configured.accounts[name].hours for name in names}
    fault = "nothing says when somebody is there who answers; name a calendar, or --calendar NAME"
    if missing := [name for name, team in hours.items() if team is None]:
        raise SettingsError([f"accounts.{name}.calendar: {fault}" for name in missing])
    return {name: team for name, team in hours.items() if team is not None}


def _bounds(team: Calendar, asked: Asked, now: datetime) -> tuple[datetime, datetime]:
    """The midnights between which arrivals are looked at, where the team is."""
    first = asked.begin or team.local(now).date()
    return team.bounds(first)[0], team.bounds(first + timedelta(days=asked.days))[0]


def _kinds(found: Configured, team: Calendar, asked: Asked, now: datetime) -> list[Kind]:
    """The holes of all promises, those alike together, in the order in which they begin."""
    kinds: dict[tuple[object, ...], Kind] = {}
    begin, end = _bounds(team, asked, now)
    for policy in found.promises:
        for hole in covering.whole(policy, team, asked.least, begin, end):
            key = policy.name, covering.shortest(policy), *_look(team, hole)
            kinds.setdefault(key, Kind(policy, team)).holes.append(hole)
    return sorted(kinds.values(), key=lambda kind: (kind.policy.name, kind.holes[0].begin))


def _look(team: Calendar, hole: Hole) -> tuple[object, ...]:
    """Times on the wall of the team, days between them, and the width.

    On whatever weekday, unless the hole is longer than a night.
    """
    local = [team.local(_rounded(at)) for at in _instants(hole)]
    days = [(at.date() - local[0].date()).days for at in local]
    weekday = local[0].weekday() if days[1] > 1 else None
    return (weekday, *(f"{at:%H:%M}" for at in local), *days, span(_wide(hole)))


def _instants(hole: Hole) -> tuple[datetime, ...]:
    return hole.begin, hole.end, hole.first_due_at, hole.last_due_at


def _walls(kind: Kind) -> list[str]:
    """By weekday and time: when its holes begin and end, and when the first and last is due."""
    each = zip(*(_instants(hole) for hole in kind.holes), strict=True)
    return [walls(kind.team.local(_rounded(at)) for at in instants) for instants in each]


def _rounded(at: datetime) -> datetime:
    """To the second: a hole begins or ends the smallest step of time beside a round one."""
    return (at + timedelta(milliseconds=500)).replace(microsecond=0)


def _wide(hole: Hole) -> timedelta:
    return _rounded(hole.end) - _rounded(hole.begin)


async def _usual(configured: Settings, names: Sequence[str], now: datetime) -> dict[str, Arrivals]:
    """What usually comes, of accounts of which something is stored."""
    found: dict[str, Arrivals] = {}
    async with opening.database(configured) as pool, transaction(pool) as db:
        for name in names:
            came = await sight.rates(db, name, now - blind.LEARNT_FROM, now)
            if came:
                zone = zone_of(p.calendar for p in configured.accounts[name].promises)
                found[name] = Arrivals(came, min(came), now, zone, unknown=0.0)
    return found


def _row(
    account: str, kind: Kind, asked: Asked, usual: Arrivals | None, now: datetime
) -> Mapping[str, object]:
    policy, team, first = kind.policy, kind.team, kind.holes[0]
    begin, end = _bounds(team, asked, now)
    arrives, arrives_until, first_due, last_due = _walls(kind)
    expected = None
    if usual is not None and Party.BUYER in policy.waits_for:
        expected = round(sum(usual.expected(hole.begin, hole.end) for hole in kind.holes), 1)
    return {
        "account": account,
        "promise": policy.name,
        "within": span(covering.shortest(policy)),
        "role": policy.role,
        "version": policy.version,
        "arrives": arrives,
        "arrives_until": arrives_until,
        "wide": span(_wide(first)),
        "due": f"{first_due} to {last_due}",
        "staffed": span(min(hole.staffed for hole in kind.holes)),
        "times": len(kind.holes),
        "first": team.local(_rounded(first.begin)).date(),
        "expected": expected,
        "from": begin,
        "until": end,
        "answer_takes": span(covering.needed(policy, asked.least)),
        "occurrences": [_occurrence(hole) for hole in kind.holes],
    }


def _occurrence(hole: Hole) -> dict[str, object]:
    names = "begin", "end", "first_due_at", "last_due_at"
    told: dict[str, object] = {name: getattr(hole, name).isoformat() for name in names}
    return told | {"staffed_seconds": hole.staffed.total_seconds()}


def _summary(found: Mapping[str, Sequence[Kind]], asked: Asked) -> str:
    holes = sum(len(kind.holes) for kinds in found.values() for kind in kinds)
    accounts = sum(bool(kinds) for kinds in found.values())
    return (
        f"{holes} {by(holes, 'hole', 'holes')} of {accounts} {by(accounts, 'account', 'accounts')} "
        f"in {asked.days} days, by the clock of the team; an answer takes {span(asked.least)}."
    )
