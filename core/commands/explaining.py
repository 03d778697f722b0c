"""`explain`: why each deadline of a thread is what it is, and what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from core import loops
from core.commands import opening
from core.errors import Mistaken
from core.store import clocks, messages, policies, readings, replies, threads, transaction
from sla import explain as explaining

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from core.agree import Entry
    from core.model import ClockRow
    from core.store import Db
    from core.store.replies import Reply
    from sla.clock import Given
    from sla.turn import Turn

Told = dict[str, Any]


async def explain(path: Path, account: str, thread: str, *, as_json: bool) -> None:
    """Tell of every clock of a thread.

    Raises:
        Mistaken: there is no such thread.
    """
    configured, now = opening.read(path), loops.utcnow()
    async with opening.database(configured) as pool, transaction(pool) as db:
        if await threads.of(db, account, thread) is None:
            raise Mistaken(f"account {account} has no thread {thread}; see: replyby threads")
        found = await _clocks(db, account, thread, now)
        waiting = [r for r in await replies.open_ones(db, account) if r.thread == thread]
    told: Told = {
        "account": account,
        "thread": thread,
        "replies": [_reply(reply) for reply in waiting],
        "clocks": found,
    }
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(told)))


async def _clocks(db: Db, account: str, thread: str, now: datetime) -> list[Told]:
    turns = (await messages.turns(db, account, [thread]))[thread]
    given = (await readings.of(db, account, [thread]))[thread]
    rows = await clocks.of_thread(db, account, thread)
    entries = await clocks.entries(db, [row.id for row in rows if row.id is not None])
    return [
        {
            "promise": row.clock.promise,
            "state": _state(row, now),
            "due_at": row.clock.due_at.isoformat(),
            "steps": await _steps(db, row, turns, given, now),
            "history": [_entry(at, entry) for at, entry in entries.get(row.id or 0, [])],
        }
        for row in rows
    ]


def _state(row: ClockRow, now: datetime) -> str:
    state = row.clock.state(now)
    reason = f" ({row.clock.reason})" if row.clock.reason else ""
    return f"history, {state}{reason}" if row.history else f"{state}{reason}"


async def _steps(
    db: Db, row: ClockRow, turns: Sequence[Turn], given: Sequence[Given], now: datetime
) -> list[Told]:
    clock = row.clock
    number = clock.policy_version
    policy = None if number is None else await policies.version(db, clock.promise, number)
    versions = [] if policy is None else [policy]
    lines = explaining.explain(clock, turns, versions, given, now=now)
    return [{"topic": line.topic, "text": line.text} for line in lines]


def _entry(at: datetime, entry: Entry) -> Told:
    changes = {name: [entry.before.get(name), value] for name, value in entry.after.items()}
    return {"at": at.isoformat(), "what": entry.what, "changes": changes}


def _reply(reply: Reply) -> Told:
    return {"id": reply.id, "state": reply.state, "queued_at": reply.queued_at.isoformat()}


def _lines(told: Told) -> Iterator[str]:
    yield f"{told['account']} {told['thread']}"
    for reply in told["replies"]:
        yield f"  reply {reply['id']}: {reply['state']} since {reply['queued_at']}"
    if not told["clocks"]:
        yield "  No clock: nobody waits, or no promise counts for threads of this kind."
    for clock in told["clocks"]:
        yield ""
        yield f"{clock['promise']}: {clock['state']}"
        yield from (f"  {step['text']}" for step in clock["steps"])
        yield from (f"  {_change(entry)}" for entry in clock["history"])


def _change(entry: Told) -> str:
    changes = (f"{name} {before} -> {after}" for name, (before, after) in entry["changes"].items())
    return f"{entry['at']} {entry['what']}: {', '.join(changes)}"
