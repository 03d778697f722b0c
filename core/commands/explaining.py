"""`explain`: why each deadline of a thread is what it is, and what became of it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from core import loops
from core.commands import alongside, climbing, opening, unread
from core.desk import climbs, explaining
from core.errors import Mistaken
from core.store import claims, clocks, elsewhere, orders, replies, threads, transaction
from core.told import NAMES_ERASED, REFUSALS
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.desk.explaining import Change
    from core.model import ClockRow
    from core.store import Db
    from core.store.replies import Reply

Told = dict[str, Any]

_WHY = {
    NAMES_ERASED: f"{REFUSALS[NAMES_ERASED]}; write it again without the name",
    "opened": "it did not leave, for it was open by then",
    "late": "it did not leave, for it could not within an hour",
    "closed": "it did not leave, for the thread was closed",
    "answered": "it did not leave, for a person had answered",
}


async def explain(path: Path, account: str, thread: str, *, as_json: bool) -> None:
    """Tell of every clock of a thread.

    Raises:
        Mistaken: there is no such account or thread.
    """
    configured, now = opening.read(path), loops.utcnow()
    async with opening.database(configured) as pool, transaction(pool) as db:
        known = await threads.of(db, account, thread)
        if known is None:
            opening.known(configured, account)
            raise Mistaken(f"account {account} has no thread {thread}; see: replyby threads")
        listed = configured.accounts.get(account)
        absent = await threads.absent_since(db, account, thread)
        own_mark = listed is not None and listed.own_mark
        found = await _clocks(db, account, thread, now, own_mark=own_mark)
        written = await replies.of_thread(db, account, thread)
        bought = await orders.of(db, account, known.order_ids)
        beside = await elsewhere.of(db, [(account, thread)])
        claimed = (await claims.of(db, [(account, thread)], now)).get((account, thread))
        climbed = await climbs.of(db, account, thread, now)
        hidden = await unread.of(db, configured, now, among={account})
    others = beside.get((account, thread), elsewhere.NOWHERE)
    told: Told = {
        "account": account,
        "thread": thread,
        "url": known.url,
        "absent_since": absent and absent.isoformat(),
        "orders": [order.model_dump(mode="json") for order in bought],
        "replies": [_reply(reply) for reply in written],
        "same_buyer": alongside.told(others, configured, now),
        "claim": climbing.claimed(claimed),
        "escalations": [climbing.told(one) for one in climbed],
        "clocks": found,
    }
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(told)))
    unread.say(hidden, as_json=as_json)


async def _clocks(
    db: Db, account: str, thread: str, now: datetime, *, own_mark: bool
) -> list[Told]:
    rows = await clocks.of_thread(db, account, thread)
    return [
        {
            "promise": one.row.clock.promise,
            "state": _state(one.row, now),
            "started_at": one.row.clock.started_at.isoformat(),
            "due_at": one.row.clock.due_at.isoformat(),
            "stopped_at": one.row.clock.stopped_at and one.row.clock.stopped_at.isoformat(),
            "steps": [{"topic": line.topic, "text": line.text} for line in one.why],
            "history": [_entry(change) for change in one.history],
        }
        for one in await explaining.of(db, rows, now, own_mark=own_mark)
    ]


def _state(row: ClockRow, now: datetime) -> str:
    state = row.clock.state(now)
    reason = f" ({row.clock.reason})" if row.clock.reason else ""
    return f"history, {state}{reason}" if row.history else f"{state}{reason}"


def _entry(change: Change) -> Told:
    changes = {name: list(pair) for name, pair in change.changes.items()}
    return {"at": change.at.isoformat(), "what": change.what, "changes": changes}


def _reply(reply: Reply) -> Told:
    instants = {name: getattr(reply, name) for name in ("queued_at", "left_at", "settled_at")}
    return {
        "id": reply.id,
        "automatic": reply.automatic,
        "state": reply.state,
        "reason": reply.reason,
        **{name: at and at.isoformat() for name, at in instants.items()},
    }


def _lines(told: Told) -> Iterator[str]:
    yield f"{told['account']} {told['thread']}"
    if told["url"]:
        yield f"  {told['url']}"
    if told["absent_since"]:
        since = _plain(told["absent_since"])
        yield f"  Since {since} the marketplace shows no such thread when it is looked at."
        yield "  Look there: its deadlines run on until it is answered or marked."
    for order in told["orders"]:
        yield from (f"  {line}" for line in _bought(order))
    for reply in told["replies"]:
        yield f"  {_fate(reply)}"
    yield from (f"  {line}" for line in alongside.lines(told["same_buyer"], told["account"]))
    yield from (f"  {line}" for line in climbing.lines(told["claim"], told["escalations"]))
    if not told["clocks"]:
        yield "  No clock: nobody waits, or no promise counts for threads of this kind."
    for clock in told["clocks"]:
        yield ""
        yield f"{clock['promise']}: {clock['state']}"
        yield from (f"  {step['text']}" for step in clock["steps"])
        yield from (f"  {line}" for entry in clock["history"] if (line := _change(entry)))


def _bought(order: Told) -> Iterator[str]:
    """What is known of an order, as of when; what is not known is left unsaid."""
    dates = {
        "bought": order["bought_at"],
        "ship by": order["ship_by"],
        "shipped": order["shipped_at"],
        "deliver by": order["deliver_by"],
    }
    total = " ".join(filter(None, (order["total"], order["currency"])))
    said = [
        _plain(order["status"]),
        f"by the {order['fulfilled_by']}" if order["fulfilled_by"] else "",
        *(f"{name} {_plain(at)}" for name, at in dates.items() if at),
        *(f"parcel {_plain(state)}" for state in order["parcels"]),
        "the buyer asks to cancel" if order["cancel_asked"] else "",
        total,
        f"as of {_plain(order['as_of'])}",
    ]
    yield f"order {order['id']}: {', '.join(filter(None, said))}"
    for item in order["items"]:
        ids = " ".join(filter(None, (item["product"], item["sku"])))
        yield f"  {item['quantity']} x {item['title']}{ids and f' ({ids})'}"


def _fate(reply: Told) -> str:
    """What became of a reply; the reason is the marketplace's own, or said in ours."""
    since = reply["settled_at"] or reply["left_at"] or reply["queued_at"]
    why = _WHY.get(reply["reason"], reply["reason"])
    reason = f": {why}" if why else ""
    what = "automatic acknowledgement" if reply["automatic"] else "reply"
    return f"{what} {reply['id']}: {reply['state']} since {_plain(since)}{reason}"


def _change(entry: Told) -> str:
    """Only what reads otherwise than before; nothing where a part of a second was all."""
    pairs = {n: pair for n, pair in entry["changes"].items() if _plain(pair[0]) != _plain(pair[1])}
    changes = [_differs(name, *pair) for name, pair in pairs.items()]
    return f"{_plain(entry['at'])}: {', '.join(changes)}" if changes else ""


def _differs(name: str, before: object, after: object) -> str:
    label = explaining.CHANGED.get(name, name)
    if after is None:
        return f"no longer {label} {_plain(before)}"
    return f"{label} {_plain(after)}" + (f" (was {_plain(before)})" if before is not None else "")


def _plain(value: object) -> str:
    """*value* of JSON as people read it: an instant in UTC."""
    try:
        return in_utc(datetime.fromisoformat(str(value)))
    except ValueError:
        return str(value).replace("_", " ")
