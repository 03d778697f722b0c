"""The command `replyby`. Exit codes: 0 done, 1 failed, 2 the settings or the call are wrong."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from core.commands import given
from core.commands.asked import (
    DONE,
    FAILED,
    FILE,
    FILES,
    UNUSABLE,
    Id,
    Replyby,
    as_json,
    finished,
    settings_file,
)
from core.commands.declared import admitting, answering, claiming, judging, routed, tending
from core.errors import Error, SettingsError

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from core.commands.asked import Names, Paths


@click.group(cls=Replyby, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="replyby")
def main() -> None:
    """Knows when each marketplace wants its answer, and tells before it is too late."""


@main.command()
@settings_file
@click.option("--sandbox", is_flag=True, help="Play the marketplaces of accounts that say so.")
def run(path: Path, *, sandbox: bool) -> None:
    """Run the daemon."""
    from core.commands import running

    try:
        running.run(path, sandbox=sandbox)
    except Error:
        raise
    except Exception as fault:  # noqa: BLE001  # the log hides secrets, Python's own traceback does not
        import structlog

        structlog.get_logger().critical("ended by a fault", exc_info=fault)
        sys.exit(FAILED)


@main.command()
@settings_file
@click.option("--offline", is_flag=True, help="Call no marketplace.")
@click.option("--sandbox", is_flag=True, help="Allow sandbox accounts, as run --sandbox does.")
@as_json
def check(path: Path, *, offline: bool, sandbox: bool, as_json: bool) -> None:
    """Check the settings, and that each account answers."""
    from core.commands import checking

    work = checking.check(path, offline=offline, sandbox=sandbox, as_json=as_json)
    try:
        sys.exit(DONE if finished(work) else FAILED)
    except SettingsError as fault:
        if not as_json:
            raise
        click.echo(json.dumps({"faults": fault.complaints}, indent=2, ensure_ascii=False))
        sys.exit(UNUSABLE)


@main.command()
@settings_file
@click.option("--check", "only_check", is_flag=True, help="Only say what would be applied.")
def migrate(path: Path, *, only_check: bool) -> None:
    """Bring the database's tables to this version."""
    from core.commands import checking

    done = finished(checking.migrate_database(path, only_check=only_check))
    sys.exit(DONE if done else FAILED)


@main.command("try-mapping")
@settings_file
@click.argument("account")
@click.argument("file", type=FILE)
def try_mapping(path: Path, account: str, file: str) -> None:
    """Say what FILE, an answer or a push of ACCOUNT's source, would become."""
    from core.commands import trying

    sys.exit(DONE if finished(trying.try_mapping(path, account, file)) else FAILED)


@main.command()
@settings_file
@click.argument("account")
@click.argument("stream", required=False)
@click.option("--once", is_flag=True, required=True, help="Read once and end.")
def poll(path: Path, account: str, stream: str | None, *, once: bool) -> None:  # noqa: ARG001  # said to be clear
    """Read ACCOUNT now, all its streams or one STREAM."""
    from core.commands import reading

    sys.exit(DONE if finished(reading.poll(path, account, stream)) else FAILED)


@main.command()
@settings_file
@click.option("--at-risk", is_flag=True, help="Only those that were warned of, or are late.")
@click.option("--history", is_flag=True, help="Those that were due before we watched.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), help="Lines at most; else 50, all --at-risk."
)
@as_json
def threads(path: Path, *, at_risk: bool, history: bool, limit: int | None, as_json: bool) -> None:
    """Show threads that wait for a reply, the most urgent first."""
    if at_risk and history:
        raise click.UsageError("--at-risk and --history are two lists; ask for one of them")
    from core.commands import listing

    finished(listing.threads(path, at_risk=at_risk, history=history, limit=limit, as_json=as_json))


@main.command()
@settings_file
@as_json
def accounts(path: Path, *, as_json: bool) -> None:
    """Show how each account is read, and whether its pushes come."""
    from core.commands import standing

    finished(standing.accounts(path, as_json=as_json))


@main.command()
@settings_file
@click.argument("account")
@click.argument("thread", type=Id())
@as_json
def explain(path: Path, account: str, thread: str, *, as_json: bool) -> None:
    """Tell why a thread's deadlines are what they are, step by step."""
    from core.commands import explaining

    finished(explaining.explain(path, account, thread, as_json=as_json))


@main.command("mark-read")
@settings_file
@click.argument("account")
@click.argument("threads", type=Id(), nargs=-1, required=True)
def mark_read(path: Path, account: str, threads: Names) -> None:
    """Mark THREADS as read at the marketplace; it answers nothing."""
    from core.commands import marking

    sys.exit(DONE if finished(marking.mark_read(path, account, threads)) else FAILED)


@main.command()
@settings_file
@click.argument("account")
@click.argument("thread", type=Id())
def link(path: Path, account: str, thread: str) -> None:
    """Print the link that sets the marketplace's own mark on THREAD; it is a secret."""
    from core.commands import linking

    finished(linking.link(path, account, thread))


@main.command()
@settings_file
@click.argument("account")
@click.argument("order")
@as_json
def actions(path: Path, account: str, order: str, *, as_json: bool) -> None:
    """Show what may be done about ORDER beside replying."""
    from core.commands import ordering

    finished(ordering.actions(path, account, order, as_json=as_json))


@main.command()
@settings_file
@click.argument("account")
@click.argument("order")
@click.argument("action")
@click.option("--text", help="What is said to the buyer.")
@FILES
@click.option(
    "--from", "begin", type=given.Day(), help="First day of the period, such as 2026-11-21."
)
@click.option("--until", "end", type=given.Day(), help="Last day of the period.")
@click.option("--again", is_flag=True, help="Although it was done before.")
def act(
    path: Path,
    account: str,
    order: str,
    action: str,
    text: str | None,
    files: Paths,
    begin: date | None,
    end: date | None,
    *,
    again: bool,
) -> None:
    """Do ACTION about ORDER, once; it is no reply."""
    if (begin is None) != (end is None):
        raise click.UsageError("--from and --until go together")
    from core.commands import ordering

    period = (begin, end) if begin and end else None
    finished(ordering.act(path, account, order, action, text, files, period, again=again))


@main.group()
def notices() -> None:
    """What could not be sent."""


@notices.command("list")
@settings_file
@as_json
def notices_list(path: Path, *, as_json: bool) -> None:
    """Show parked notices, and how many wait for whom since when."""
    from core.commands import listing

    finished(listing.notices(path, as_json=as_json))


@notices.command("retry")
@settings_file
@click.argument("ids", nargs=-1, type=given.Number())
@click.option("--notifier", help="Only those to this notifier.")
def notices_retry(path: Path, ids: tuple[int, ...], notifier: str | None) -> None:
    """Try parked notices again: those of IDS, or all."""
    from core.commands import listing

    finished(listing.retry_notices(path, ids, notifier))


@main.command()
@settings_file
@click.argument("account")
@click.option("--contact", metavar="ADDRESS", help="Whom the marketplace mails when pushes fail.")
def subscribe(path: Path, account: str, contact: str | None) -> None:
    """Set up at the marketplace what it pushes to ACCOUNT; the daemon has to run."""
    from core.commands import subscribing

    finished(subscribing.subscribe(path, account, contact))


@main.command()
@settings_file
@click.argument("account")
def erase(path: Path, account: str) -> None:
    """Erase a person from ACCOUNT; their ids are asked for, or read from the standard input."""
    from core.commands import erasing

    finished(erasing.erase(path, account, erasing.ids_given()))


@main.command()
@settings_file
@click.option("--all", "everything", is_flag=True, help="Also those of whom nothing was stored.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@as_json
def erasures(path: Path, *, everything: bool, limit: int, as_json: bool) -> None:
    """Show who was to be erased, and what it came to: no id of a person."""
    from core.commands import erasing

    finished(erasing.listed(path, limit, everything=everything, as_json=as_json))


@main.group("set-aside")
def set_aside() -> None:
    """What could not be read."""


@set_aside.command("list")
@settings_file
@click.option("--account", help="Only of this account.")
@as_json
def set_aside_list(path: Path, account: str | None, *, as_json: bool) -> None:
    """Show what was set aside, and why."""
    from core.commands import listing

    finished(listing.set_aside(path, account, as_json=as_json))


@set_aside.command("show")
@settings_file
@click.argument("number", type=given.Number())
def set_aside_show(path: Path, number: int) -> None:
    """Print one payload as it came; it may hold a buyer's words."""
    from core.commands import listing

    finished(listing.show_set_aside(path, number))


@set_aside.command("retry")
@settings_file
@click.argument("ids", nargs=-1, type=given.Number())
def set_aside_retry(path: Path, ids: tuple[int, ...]) -> None:
    """Read the streams of IDS, or of all, again from their look-back."""
    from core.commands import reading

    finished(reading.retry_set_aside(path, ids))


@set_aside.command("drop")
@settings_file
@click.argument("ids", nargs=-1, type=given.Number(), required=True)
def set_aside_drop(path: Path, ids: tuple[int, ...]) -> None:
    """Forget IDS."""
    from core.commands import listing

    finished(listing.drop_set_aside(path, ids))


@main.command()
@settings_file
@click.option("--test", "route", required=True, metavar="ROUTE", help="Who is told.")
def notify(path: Path, route: str) -> None:
    """Send a test notice to everybody on a route."""
    from core.commands import checking

    sys.exit(DONE if finished(checking.notify(path, route)) else FAILED)


@main.command()
@settings_file
def healthcheck(path: Path) -> None:
    """Ask the daemon on this machine whether it is well."""
    from core.commands import running

    faults = running.healthcheck(path)
    click.echo("\n".join(faults or ["alive and ready"]))
    sys.exit(FAILED if faults else DONE)


for command in (
    *admitting.COMMANDS,
    *answering.COMMANDS,
    *claiming.COMMANDS,
    *judging.COMMANDS,
    *routed.COMMANDS,
    *tending.COMMANDS,
):
    main.add_command(command)
