"""Commands for whoever runs the daemon day by day: muting, and taking the database out and in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

COMMANDS: tuple[click.Command, ...] = ()
