"""`mute` and `unmute`: an account, or a route, of which nothing is told for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, get_args

import click

from core import loops
from core.commands import opening, operator, shown
from core.configuration.complaints import nearest
from core.desk import silencing
from core.errors import Mistaken
from core.spoken import some, span
from core.store import mutes, transaction
from core.told import MuteScope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from core.settings import Settings
    from core.told import Mute

Named = tuple[MuteScope, str]


async def mute(path: Path, what: str, until: datetime | timedelta, reason: str | None) -> None:
    """Mute an account or a route, or move the end of its mute.

    Raises:
        Mistaken: nothing is called so, or two things are; the end is not ahead, or too far off.
    """
    configured, now = opening.read(path), loops.utcnow()
    scope, name = named(what, _known(configured))
    at, why = end(until, now), silencing.reason(reason)
    async with opening.database(configured) as pool, transaction(pool) as db:
        found, before = await silencing.mute(db, operator.who(), scope, name, at, why, now)
    was = f" (was until {_instant(before)})" if before else ""
    click.echo(
        f"{scope} {name}: muted until {_instant(found.until)}, for {span(at - now)}{was}. "
        "Its clocks run on; what would be told is held back and told as one when it ends: "
        "replyby mute --list"
    )


async def unmute(path: Path, what: str) -> None:
    """Lift a mute; what it held back leaves now.

    Raises:
        Mistaken: nothing of that name is muted, or two things are.
    """
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        standing = await mutes.standing(db)
        muted = [(one.scope, one.name) for one in standing]
        if not muted:
            raise Mistaken("nothing is muted; there is nothing to lift")
        scope, name = named(what, muted, of="is muted")
        lifted = await silencing.unmute(db, operator.who(), scope, name, loops.utcnow())
    if lifted is None:
        raise Mistaken(f"{scope} {name} is not muted any more; see: replyby mute --list")
    _, held = lifted
    leave = some(held, "notice that was held back leaves", "notices that were held back leave")
    click.echo(f"{scope} {name}: told again; {leave} now, as one to each notifier")


async def listed(path: Path, *, as_json: bool) -> None:
    """What is muted, until when, by whom, and how much of it is held back."""
    configured, now = opening.read(path), loops.utcnow()
    async with opening.database(configured) as pool, transaction(pool) as db:
        standing, held = await mutes.standing(db), await mutes.held(db)
    rows = [_row(one, held.get(one.id, {}), now, as_json=as_json) for one in standing]
    shown.rows(rows, as_json=as_json, none="nothing is muted")


def _row(one: Mute, held: Mapping[str, int], now: datetime, *, as_json: bool) -> dict[str, object]:
    return {
        "scope": one.scope,
        "name": one.name,
        "since": one.since,
        "until": one.until,
        "left": span(one.until - now),
        "held_back": dict(held) if as_json else sum(held.values()),
        "by": one.by,
        "reason": one.reason,
    }


def named(what: str, known: Collection[Named], of: str = "is called so") -> Named:
    """The one of *known* that *what* names: ``mk``, or ``account:mk`` and ``route:mk``.

    Raises:
        Mistaken: there is none, or there are two.
    """
    scope, _, rest = what.rpartition(":")
    name = rest if scope in get_args(MuteScope) else what
    found = [one for one in known if one[1] == name and scope in ("", one[0])]
    if len(found) > 1:
        raise Mistaken(
            f"an account and a route are called {name}; write account:{name} or route:{name}"
        )
    if not found:
        raise Mistaken(f"no account and no route {of}: {what}; {nearest(name, _names(known))}")
    return found[0]


def end(until: datetime | timedelta, now: datetime) -> datetime:
    """The instant *until* which something is muted.

    Raises:
        Mistaken: it is not ahead, or too far off.
    """
    at = now + until if isinstance(until, timedelta) else until
    silencing.check_end(at, now)
    return at


def _known(configured: Settings) -> list[Named]:
    accounts: Iterable[Named] = (("account", name) for name in configured.accounts)
    routes: Iterable[Named] = (("route", name) for name in configured.routing.routes)
    return [*accounts, *routes]


def _names(known: Iterable[Named]) -> set[str]:
    return {name for _, name in known}


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
