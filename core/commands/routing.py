"""`duty` and `routes explain`: who is on duty, who would be told, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from core import loops
from core.commands import opening, shown
from core.configuration.complaints import nearest
from core.desk import telling
from core.errors import Mistaken, SettingsError, Unfit
from core.people import rota
from core.people.rota import Rota

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from core.desk.telling import Asked, Row
    from core.people.directory import Directory
    from core.people.duty import Duty
    from core.routing import Routing

AHEAD = timedelta(days=28)


def duty(path: Path, name: str | None, at: datetime | None, *, as_json: bool) -> None:
    """Show who is on duty at an instant, None: now, until when, and who is told.

    Raises:
        Mistaken: there is no such duty.
        SettingsError: the settings cannot be used.
    """
    when = at or loops.utcnow()
    directory = _at(opening.read(path).routing, at).directory
    if name is not None and name not in directory.duties:
        raise Mistaken(f"there is no duty of that name; {nearest(name, directory.duties)}")
    chosen = directory.duties.values() if name is None else [directory.duties[name]]
    rows = [telling.on_duty(directory, each, when) for each in chosen]
    none = "no duty is planned: write [duty.NAME], see docs/settings.md"
    shown.rows(rows, as_json=as_json, none=none, hidden=("people",))


def explain(path: Path, asked: Asked, at: datetime | None, *, as_json: bool) -> None:
    """Say who would be told of what is *asked* at an instant, None: now, and why.

    Raises:
        Mistaken: the account or the kind is unknown.
        SettingsError: the settings cannot be used.
    """
    configured, when = opening.read(path), at or loops.utcnow()
    opening.known(configured, asked.account)
    found = telling.explain(_at(configured.routing, at), asked, when)
    if as_json:
        rows = {"routes": found.routes, "told": found.told, "ladder": found.ladder}
        shaped = {name: [shown.plain(row) for row in each] for name, each in rows.items()}
        click.echo(json.dumps(shaped, indent=2, ensure_ascii=False))
        return
    _say(found.routes, found.told, found.ladder)


def _say(ways: Sequence[Row], told: Sequence[Row], climbed: Sequence[Row]) -> None:
    click.echo(shown.table(ways))
    click.echo("")
    click.echo(shown.table(told) if told else "Nobody is told: give the fallback route no kinds.")
    if climbed:
        click.echo("\nIf nobody acts:")
        click.echo(shown.table(climbed))


def _at(routing: Routing, at: datetime | None) -> Routing:
    """*routing* with the calendars of duties laid out around *at*; None: they are, around now.

    Raises:
        SettingsError: a calendar was lost meanwhile.
    """
    if at is None:
        return routing
    directory = routing.directory
    try:
        duties = {name: _laid_out(directory, duty, at) for name, duty in directory.duties.items()}
    except Unfit as fault:
        raise SettingsError([f"duty: a calendar {fault}"]) from None
    return replace(routing, directory=replace(directory, duties=duties))


def _laid_out(directory: Directory, duty: Duty, at: datetime) -> Duty:
    if not isinstance(duty.roster, Rota):
        return duty
    people = directory.people.values()
    return replace(duty, roster=rota.read(duty.roster.path, duty.zone, people, at))
