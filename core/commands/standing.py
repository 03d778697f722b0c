"""The command that shows accounts: how each is read, and whether what is pushed about it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import loops
from core.commands import opening, shown
from core.reading import heartbeat
from core.spoken import rate
from core.store import mutes, pushes, sight, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from core.model import Account
    from core.reading.heartbeat import Beat
    from core.store.sight import Sight


async def accounts(path: Path, *, as_json: bool) -> None:
    """A row for each account of the settings."""
    configured, now = opening.read(path), loops.utcnow()
    async with opening.database(configured) as pool:
        async with transaction(pool) as db:
            seen, silent = await sight.all_(db), await pushes.states(db)
            beside = await sight.beside(db)
            muted = {m.name: m.until for m in await mutes.standing(db) if m.scope == "account"}
        ours = {name: one.account for name, one in configured.accounts.items()}
        receiving = {name: one for name, one in ours.items() if one.receives}
        promises = {name: one.promises for name, one in configured.accounts.items()}
        found = await heartbeat.look(pool, receiving, promises, heartbeat.Place(), now)
    beats = {name: beat for name, (_, beat) in found.items()}
    told = {name for name, (_, is_silent) in silent.items() if is_silent}
    rows = [
        _row(
            one,
            [each for each in seen if each.account == name],
            beside.get(name, ()),
            beats.get(name),
            silent=name in told,
        )
        | {"muted_until": muted.get(name)}
        for name, one in ours.items()
    ]
    hidden = () if muted.keys() & ours.keys() else ("muted_until",)
    shown.rows(rows, as_json=as_json, none="the settings name no account", hidden=hidden)


def _row(
    account: Account,
    seen: Sequence[Sight],
    beside: Sequence[str],
    beat: Beat | None,
    *,
    silent: bool,
) -> dict[str, object]:
    read = [one.seen_through for one in seen]
    return {
        "account": account.name,
        "marketplace": account.marketplace,
        "read": _read(account, seen, beside),
        "read_at": None if None in read else min(filter(None, read), default=None),
        "pushes": _pushes(account, beat, silent=silent),
        "pushed_at": beat.since if beat else None,
        "usually": rate(beat.a_day) if beat and beat.a_day else None,
        "silent_from": _foreseen(beat),
    }


def _read(account: Account, seen: Sequence[Sight], beside: Sequence[str]) -> str:
    """How its streams that carry clocks are read: what ails them, if anything.

    Where none does, what ails those *beside* them: by these is known how the key stands.
    """
    if not account.polled:
        return ", ".join(["by pushes only", *beside])
    troubles = sorted({one.trouble for one in seen if one.trouble})
    if troubles:
        return ", ".join(troubles)
    return "ok" if seen and all(one.seen_through for one in seen) else "not yet"


def _pushes(account: Account, beat: Beat | None, *, silent: bool) -> str:
    """Whether they come, in closed words."""
    if not account.receives:
        return "none"
    if silent:
        return "silent"
    if beat is None or beat.since is None:
        return "never came"
    if beat.silent_from is None:
        return "not enough seen yet"
    return "as usual" if account.silence is None else "as allowed"


def _foreseen(beat: Beat | None) -> datetime | None:
    return beat.silent_from if beat else None
