"""Commands that read from a marketplace again: poll, set-aside retry."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from core import loops
from core import poll as polling
from core.arrival.judging import JUDGED
from core.commands import opening
from core.configuration.complaints import nearest
from core.errors import Mistaken, SettingsError
from core.ingest import PUSHED
from core.running import standins
from core.store import setaside, streams, transaction, wake

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.arrival.stored import Stored
    from core.settings import Settings

WELL = frozenset({"success", "partial"})
UNASKED = frozenset({PUSHED, JUDGED})
"""What no stream brings again."""


async def poll(path: Path, account: str, stream: str | None) -> bool:
    """Read an account now, all its streams or one; whether all could be read.

    Raises:
        Mistaken: there is no such account or stream.
        SettingsError: it is a sandbox account whose stand-in does not run.
    """
    configured = opening.read(path)
    opening.known(configured, account)
    _known_stream(configured, account, stream)
    async with opening.working(configured, [account]) as state:
        found = await polling.account(
            state.pool,
            state.worker_id,
            state.readers[account],
            state.rules,
            state.metrics,
            loops.utcnow(),
            stream=stream,
        )
    for name, (outcome, stored) in sorted(found.items()):
        click.echo(_line(name, outcome, stored))
    if not found:
        click.echo(f"{account} is just being read by the daemon; look again in a moment")
    return {outcome for outcome, _ in found.values()} <= WELL


def _known_stream(configured: Settings, account: str, stream: str | None) -> None:
    """A stand-in that runs may have more streams than its settings say.

    Raises:
        Mistaken: there is no such stream.
    """
    with suppress(SettingsError):  # it does not run: what the settings say is all there is
        configured = standins.running(configured, [account])
    names = [each.name for each in configured.accounts[account].streams]
    if stream is not None and stream not in names:
        raise Mistaken(f"{account} has no stream {stream}; {nearest(stream, names)}")


def _line(name: str, outcome: str, stored: Stored) -> str:
    new = stored.received + stored.sent
    counts = f"{new} new, {stored.changed} changed, {stored.repeated} known"
    aside = f", {len(stored.aside)} set aside" if stored.aside else ""
    return f"{name}: {outcome} ({counts}{aside})"


async def retry_set_aside(path: Path, ids: Sequence[int]) -> None:
    """Forget what was set aside, and have its streams read again from their look-back.

    What still cannot be read is set aside again.

    Raises:
        Mistaken: an id is unknown, or what no stream brings again.
    """
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        kept = {each.id: each for each in await setaside.kept(db)}
        wanted = list(ids) or [n for n, each in kept.items() if each.stream not in UNASKED]
        for number in wanted:
            if number not in kept:
                raise Mistaken(f"nothing is set aside as {number}; see: replyby set-aside list")
            if kept[number].stream == PUSHED:
                raise Mistaken(f"{number} was pushed and cannot be asked for; ask for it there")
            if kept[number].stream == JUDGED:
                raise Mistaken(f"{number} was read well; see to its thread, then drop it here")
        again = sorted({(kept[number].account, kept[number].stream) for number in wanted})
        for account, stream in again:
            await streams.rewind(db, account, stream)
        await setaside.drop(db, wanted)
        await wake.send(db, "poll")
    for account, stream in again:
        click.echo(f"{account} {stream}: the daemon reads it again from its look-back")
    if not again:
        click.echo("everything could be read")
