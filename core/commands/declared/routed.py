"""Commands that say who is told: who is on duty, and where a notice would go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.commands import given
from core.commands.asked import Replyby, as_json, settings_file

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

AT = click.option(
    "--at", type=given.Instant(), metavar="WHEN", help="Then, and not now: 2026-12-24T22:00:00Z."
)


@click.command()
@settings_file
@click.argument("name", required=False)
@AT
@as_json
def duty(path: Path, name: str | None, at: datetime | None, *, as_json: bool) -> None:
    """Show who is on duty: all duties, or NAME."""
    from core.commands import routing  # --help stays fast

    routing.duty(path, name, at, as_json=as_json)


@click.group(cls=Replyby)
def routes() -> None:
    """Whom notices go to."""


@routes.command()
@settings_file
@click.argument("account")
@click.option("--kind", default="breach", show_default=True, help="The kind of notice.")
@click.option("--language", help="In which the thread is: de, pt-BR.")
@click.option("--policy", help="The promise of which it tells.")
@click.option("--step", type=click.IntRange(1, 100), help="The number of the warning.")
@AT
@as_json
def explain(
    path: Path,
    account: str,
    kind: str,
    language: str | None,
    policy: str | None,
    step: int | None,
    at: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Say who would be told of a notice of ACCOUNT, and why; nothing is sent."""
    from core.commands import routing  # --help stays fast
    from core.desk import telling

    asked = telling.Asked(account, kind, language, policy, step)
    routing.explain(path, asked, at, as_json=as_json)


COMMANDS = (duty, routes)
