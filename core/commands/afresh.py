"""`make afresh`: removes a state directory and its embedded database; not part of `replyby`."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.store import pgbinaries, pgcluster
from core.store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.store.pgcluster import Home

SERVED = "is in use: stop the daemon (Ctrl-C), let the other commands end, and do this again"


@click.command()
@click.argument("state_dir", type=click.Path(path_type=Path))
@click.option(
    "--elsewhere", type=click.Path(path_type=Path), default=pgbinaries.ROOTS_PLACE, hidden=True
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def afresh(state_dir: Path, elsewhere: Path, *, yes: bool) -> None:
    """Remove all that is in STATE_DIR, and its database wherever it lies."""
    homes = pgcluster.homes(state_dir, elsewhere)
    doomed = list(dict.fromkeys([*(home.directory for home in homes), *_within(state_dir)]))
    if not doomed:
        click.echo(f"{state_dir} holds nothing: the next start begins afresh.")
        return
    click.echo("\n".join(["This removes, for good:", *(f"  {place}" for place in doomed)]))
    if not yes:
        click.confirm("Remove it, and all threads, clocks and notices in it?", abort=True)
    try:
        with _unused(homes):
            for place in doomed:
                _remove(place)
    except OSError as fault:
        raise click.ClickException(f"{fault.filename}: {fault.strerror}") from fault
    click.echo("Removed: the next start begins afresh.")


def _within(state_dir: Path) -> list[Path]:
    """What is in it: the directory itself may be a link to another disk, and stays."""
    return sorted(state_dir.absolute().iterdir()) if state_dir.is_dir() else []


@contextmanager
def _unused(homes: Sequence[Home]) -> Iterator[None]:
    """Hold the locks of *homes*, so that nobody starts a server on what is being removed."""
    with ExitStack() as held:
        for home in homes:
            for path in (home.daemon_lock, home.server_lock):
                if not held.enter_context(Lock(path)).take():
                    raise click.ClickException(f"{home.directory} {SERVED}")
        yield


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


if __name__ == "__main__":
    afresh()
