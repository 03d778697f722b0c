"""Commands that show: threads, notices, set-aside."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from core import loops
from core.commands import alongside, opening, shown, unread
from core.configuration.complaints import nearest
from core.errors import Mistaken
from core.spoken import some, span
from core.store import dispatches, elsewhere, queue, setaside, stats, transaction, wake
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from core.measuring.facts import Outbox
    from core.model import Dispatch
    from core.settings import Settings
    from core.store.elsewhere import Elsewhere
    from core.store.queue import Running


MOST = 50
"""Lines of a list for people that was not asked to be longer; it says that there are more."""
LOOKED_UP = 1_000
"""Of so many threads at most it is looked for where else their buyers wait: the most urgent."""


async def threads(
    path: Path, *, at_risk: bool, history: bool, limit: int | None, as_json: bool
) -> None:
    """Running clocks, the most urgent first, and the accounts of which not all is known.

    Those at risk, and what programs read, come whole unless there is a *limit*.
    """
    configured, now = opening.read(path), loops.utcnow()
    most = limit or (queue.ALL if at_risk or as_json else MOST)
    async with opening.database(configured) as pool, transaction(pool) as db:
        if history:
            found = await queue.history(db, most + 1)
        else:
            found = await queue.running(db, most + 1, at_risk_at=now if at_risk else None)
        refs = dict.fromkeys((each.account, each.thread) for each in found[:most])
        beside = await elsewhere.of(db, list(refs)[:LOOKED_UP])
        hidden = await unread.of(db, configured, now)
    known = " of those that were read" if hidden else ""
    none = f"no thread{known} is at risk" if at_risk else f"no thread{known} waits for a reply"
    shown.rows(
        [
            _clock(each, now) | _beside(each, beside, configured, now, as_json=as_json)
            for each in found[:most]
        ],
        as_json=as_json,
        none=none,
        hidden=_hidden(found[:most]),
    )
    if len(found) > most:
        click.echo(f"more wait than these {most}; for all: --limit {queue.ALL}", err=True)
    unread.say(hidden, as_json=as_json)


def _hidden(found: Sequence[Running]) -> tuple[str, ...]:
    """What stands in JSON only: most lists hold nothing that was acknowledged."""
    always = "url", "started_at", "due_from", "metric", "flags"
    return always if any(each.acknowledged_at for each in found) else (*always, "acknowledged_at")


def _beside(
    found: Running,
    beside: Mapping[tuple[str, str], Elsewhere],
    configured: Settings,
    now: datetime,
    *,
    as_json: bool,
) -> dict[str, object]:
    """Where else the buyer waits, for programs or for people."""
    others = beside.get((found.account, found.thread), elsewhere.NOWHERE)
    tell = alongside.told if as_json else alongside.short
    return {"same_buyer": tell(others, configured, now)}


def _clock(found: Running, now: datetime) -> dict[str, object]:
    left = found.due_at - now
    return {
        "band": found.band(now),
        "left": span(left) if left.total_seconds() >= 0 else f"late {span(left)}",
        "due_at": found.due_at,
        "account": found.account,
        "thread": found.thread,
        "kind": found.kind,
        "waits_for": found.waits_for,
        "promise": found.promise,
        "metric": found.metric,
        "started_at": found.started_at,
        "due_from": found.due_from,
        "flags": sorted(found.flags),
        "url": found.url,
        "acknowledged_at": found.acknowledged_at,
    }


async def notices(path: Path, *, as_json: bool) -> None:
    """What could not be sent, and what still is to be: by notifier, since when."""
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        found, outbox = await dispatches.parked(db), await stats.outbox(db)
    rows = [_dispatch(each) for each in found]
    waiting = {name: of for name, of in sorted(outbox.items()) if of.pending or of.muted}
    if as_json:
        told = {
            "parked": [shown.plain(row) for row in rows],
            "waiting": [shown.plain(_waiting(name, of)) for name, of in waiting.items()],
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    none = "none was given up" if waiting else "every notice was sent"
    shown.rows(rows, as_json=False, none=none)
    for name, of in waiting.items():
        click.echo(f"{name}: {', '.join(_said(of))}")


def _waiting(notifier: str, of: Outbox) -> dict[str, object]:
    """What *notifier* is still to be sent; ``since`` is None where none of it is due yet."""
    since = _since(of)
    return {"notifier": notifier, "waiting": of.pending, "since": since, "held_by_mute": of.muted}


def _said(of: Outbox) -> Iterator[str]:
    since = _since(of)
    if of.pending:
        wait = some(of.pending, "waits to be sent", "wait to be sent")
        yield f"{wait}, {f'since {in_utc(since)}' if since else 'with a digest that is to come'}"
    if of.muted:
        yield f"{of.muted} held back by a mute"


def _since(of: Outbox) -> datetime | None:
    return datetime.fromtimestamp(of.oldest, UTC) if of.oldest else None


def _dispatch(found: Dispatch) -> Mapping[str, object]:
    return {
        "id": found.notice.id,
        "notifier": found.notifier,
        "kind": found.notice.kind.value,
        "account": found.notice.account,
        "thread": found.notice.thread,
        "raised_at": found.notice.raised_at,
        "attempts": found.attempts,
        "reason": found.parked_reason,
        "error": found.error,
    }


async def retry_notices(path: Path, ids: Sequence[int], notifier: str | None) -> None:
    """Try parked notices again: those of *ids*, those to *notifier*, or all.

    Raises:
        Mistaken: none of those that were named is parked, or no notifier is called so.
    """
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        again = await dispatches.retry_parked(db, list(ids) or None, notifier)
        if not again and notifier is not None and notifier not in configured.notifiers:
            hint = nearest(notifier, configured.notifiers)
            raise Mistaken(f"no notifier is called {notifier}; {hint}")
        if not again and (ids or notifier):
            raise Mistaken("no such notice is parked; see: replyby notices list")
        await wake.send(db, "deliver")
    click.echo(f"{again} will be tried again by the daemon")


async def set_aside(path: Path, account: str | None, *, as_json: bool) -> None:
    """What could not be read, without its content.

    Raises:
        Mistaken: nothing is there of *account*, and no account is called so.
    """
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        found = await setaside.kept(db, account)
    if account is not None and not found:
        opening.known(configured, account)
    rows = [{name: getattr(each, name) for name in each.__slots__} for each in found]
    shown.rows(rows, as_json=as_json, none="everything could be read")


async def show_set_aside(path: Path, number: int) -> None:
    """The payload itself, as it came.

    Raises:
        Mistaken: there is none of that number.
    """
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        found = await setaside.read(db, [number])
    if number not in found:
        raise Mistaken(f"nothing is set aside as {number}; see: replyby set-aside list")
    click.echo(found[number])


async def drop_set_aside(path: Path, ids: Sequence[int]) -> None:
    """Forget what was set aside.

    Raises:
        Mistaken: nothing is there of those numbers.
    """
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        dropped = await setaside.drop(db, ids)
    if not dropped:
        numbers = ", ".join(map(str, ids))
        raise Mistaken(f"nothing is set aside as {numbers}; see: replyby set-aside list")
    click.echo(f"{dropped} dropped")
