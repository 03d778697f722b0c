"""Commands that look back and ahead: how promises were kept, and what another would have meant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.commands import given
from core.commands.asked import DONE, FAILED, as_json, finished, settings_file

if TYPE_CHECKING:
    from datetime import date, datetime, timedelta

    from core.commands.reported import Form, Part


@click.command()
@settings_file
@click.option("--account", help="Only of this account.")
@click.option("--from", "begin", type=given.Day(), help="First day; left out: today.")
@click.option("--days", type=click.IntRange(1, 3660), default=90, show_default=True)
@click.option("--calendar", metavar="NAME", help="When somebody is there; else the account's own.")
@click.option(
    "--least",
    type=given.Duration(),
    default="30m",
    show_default=True,
    help="The staffed time that an answer takes.",
)
@click.option("--offline", is_flag=True, help="Ask no database how many messages usually come.")
@as_json
def coverage(
    path: Path,
    account: str | None,
    begin: date | None,
    days: int,
    calendar: str | None,
    least: timedelta,
    *,
    offline: bool,
    as_json: bool,
) -> None:
    """Show when a message may come that nobody is there to answer before it is due."""
    from core.commands import covering

    asked = covering.Asked(account, begin, days, calendar, least)
    whole = finished(covering.coverage(path, asked, offline=offline, as_json=as_json))
    sys.exit(DONE if whole else FAILED)


@click.command()
@settings_file
@click.option("--account", help="Only of this account.")
@click.option("--policy", help="Only of this promise.")
@click.option("--window", type=given.Duration(), help="Only windows of this length, such as 30d.")
@click.option("--shop", help="Only of the accounts of this shop.")
@click.option("--at", type=given.Instant(), help="As windows that end then; left out: now.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table",
    show_default=True,
)  # fmt: skip
@click.option("--worst", type=click.IntRange(0, 10_000), default=10, show_default=True)
@click.option(
    "--only", type=click.Choice(["numbers", "worst", "unconfirmed"]),
    help="One part alone; left out: all, of CSV the numbers.",
)  # fmt: skip
@as_json
def report(
    path: Path,
    account: str | None,
    policy: str | None,
    window: timedelta | None,
    shop: str | None,
    at: datetime | None,
    form: Form,
    *,
    worst: int,
    only: Part | None,
    as_json: bool,
) -> None:
    """Show how promises were kept, as each contract counts, and what was late by most."""
    if as_json and form == "csv":
        raise click.UsageError("--json and --format csv are two forms; ask for one of them")
    from core.commands import reporting

    wanted = reporting.Wanted(account, policy, window, shop, at, worst, only)
    finished(reporting.report(path, wanted, "json" if as_json else form))


@click.command()
@settings_file
@click.option(
    "--policy",
    "file",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="[policies.NAME], and [calendars.NAME], as in the settings.",
)
@click.option("--account", help="Only of this account.")
@click.option(
    "--from",
    "begin",
    type=given.DayInUtc(),
    help="Waitings that began from then on: an instant, or a day from its midnight in UTC.",
)
@click.option(
    "--until", "end", type=given.DayInUtc(), help="And before then, said alike; left out: now."
)
@click.option("--most", type=click.IntRange(0, 100_000), default=20, show_default=True)
@as_json
def replay(
    path: Path,
    file: Path,
    account: str | None,
    begin: datetime | None,
    end: datetime | None,
    most: int,
    *,
    as_json: bool,
) -> None:
    """Show what the policies of FILE would have meant for all that is stored; writes nothing."""
    if begin is not None and end is not None and begin >= end:
        raise click.UsageError("--from is not before --until; swap them")
    from core.commands import replaying

    asked = replaying.Asked(account, begin, end, most)
    finished(replaying.replay(path, file, asked, as_json=as_json))


@click.command()
@settings_file
@click.argument("policy")
@click.option(
    "--from",
    "begin",
    type=given.DayOrInstant(),
    required=True,
    help="Since when in truth: an instant, or a day from its midnight where the promise's "
    "calendar is.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would move.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def redate(path: Path, policy: str, begin: datetime | date, *, dry_run: bool, yes: bool) -> None:
    """Say since when the latest version of POLICY has been in force in truth."""
    from core.commands import redating

    finished(redating.redate(path, policy, begin, dry_run=dry_run, yes=yes))


COMMANDS: tuple[click.Command, ...] = (coverage, report, replay, redate)
