"""What a program reads: the queue, its counts, a thread, the accounts, macros, who it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from math import isfinite
from typing import TYPE_CHECKING, cast

from aiohttp import web

from core import labels
from core.access import MAY, Act
from core.desk import macros as desk_macros
from core.errors import StoreUnavailable
from core.measuring.facts import Clocks, Reading, Snapshot
from core.store import macros as stored
from core.store import threads as known
from core.store import transaction
from core.web import answerbox, deadlines, exchange, filters, lines, queue, thread
from core.web.api import models
from core.web.api.routes import Lead, Route
from core.web.exchange import Asked
from core.web.glance import GLANCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.model import Account
    from core.store.board import Line
    from core.web.api.routes import Call
    from core.web.deadlines import Clock
    from core.web.thread import Read
    from core.web.troubles import Trouble


async def threads(call: Call) -> models.Lines:
    """A page of the queue, as the board's filters choose it."""
    wanted = call.of(models.Wanted)
    chosen = filters.of(wanted.model_dump(exclude={"limit"}, exclude_none=True))
    found = await queue.looked_up(call.request, call.who, chosen, wanted.limit)
    shown = found[: wanted.limit]
    after = shown[-1].place if len(found) > len(shown) else None
    return models.Lines(
        threads=tuple(_line(call, one) for one in shown),
        next=None if after is None else f"{after.micros}-{after.clock}",
    )


def _line(call: Call, one: Line) -> models.Line:
    facts = {name: getattr(one, name) for name in models.Line.model_fields if hasattr(one, name)}
    place = lines.place(call.rules, one.account)
    return models.Line.model_validate(
        {**facts, "band": one.band(call.now), "marketplace": place.marketplace}
    )


async def counts(call: Call) -> models.Counts:
    """How many threads wait, by band and by marketplace, and what is wrong.

    Raises:
        StoreUnavailable: nothing was counted yet.
    """
    seen = await call.request.app[GLANCE].of(call.who, call.now)
    if seen.counts is None:
        raise StoreUnavailable("nothing was counted yet")
    return models.Counts(
        at=call.now - timedelta(seconds=seen.counts.age),
        total=seen.counts.total,
        bands=dict(seen.counts.bands),
        marketplaces=dict(seen.counts.marketplaces),
        troubles=_troubles(seen.troubles),
    )


def _troubles(several: Iterable[Trouble]) -> tuple[models.Trouble, ...]:
    return tuple(
        models.Trouble(
            kind=one.kind,
            account=one.account.name if one.account else None,
            since=one.since,
            until=one.until,
            unseen=one.unseen,
        )
        for one in several
    )


async def one_thread(call: Call) -> models.Thread:
    """A thread with its clocks and its messages; the look is written down before it leaves."""
    where, part = call.of(models.OneThread), call.of(models.Part)
    asked = Asked(before=part.before, whole=part.whole, every=part.clocks == "all")
    found = await thread.looked_up(call.request, where.account, where.thread, asked)
    detail = {"messages": len(found.messages), "live": 0}
    await thread.note(call.request, where.account, where.thread, detail)
    return _thread(found, call.now)


def _thread(found: Read, now: datetime) -> models.Thread:
    head = found.head
    facts = {
        name: getattr(head, name) for name in models.Thread.model_fields if hasattr(head, name)
    }
    return models.Thread.model_validate(
        {
            **facts,
            "thread": head.id,
            "url": exchange.web_address(head.url) or None,
            "claim": found.claim,
            "clocks": [_clock(one) for one in deadlines.clocks(found.explained, now)],
            "clocks_left_out": found.left_out,
            "orders": found.orders,
            "beside": found.beside,
            "messages": found.messages,
            "older": found.has_older,
        }
    )


def _clock(one: Clock) -> models.Clock:
    clock = one.row.clock
    return models.Clock(
        id=one.row.id,
        promise=clock.promise,
        waits_for=clock.waits_for.value,
        metric=clock.metric,
        state=one.state,
        band=cast("models.Band | None", one.band),
        started_at=clock.started_at,
        due_at=clock.due_at,
        due_from=clock.due_from,
        stopped_at=clock.stopped_at,
        reason=clock.reason,
        flags=one.flags,
        why=one.why,
        history=tuple(models.Step.model_validate(step) for step in one.history),
    )


async def accounts(call: Call) -> models.Accounts:
    """The accounts that who asks sees, how each is read, and what is wrong."""
    snapshot = await call.parts.watched.snapshot()
    seen = await call.request.app[GLANCE].of(call.who, call.now)
    if snapshot is None:
        raise StoreUnavailable("the database does not answer")
    there = queue.visible(call.rules, call.who).values()
    return models.Accounts(
        accounts=tuple(_account(one, snapshot) for one in there),
        faults=tuple(await call.parts.watched.faults()),
        troubles=_troubles(seen.troubles),
    )


def _account(account: Account, snapshot: Snapshot) -> models.Account:
    clocks = snapshot.counted.clocks.get(account.name, Clocks())
    reading = snapshot.readings.get(account.name, Reading())
    counted = dict(zip(labels.BANDS, clocks.bands, strict=True))
    return models.Account(
        name=account.name,
        title=account.title or account.name,
        marketplace=account.marketplace,
        bands=counted if snapshot.counted.at else None,
        next_deadline=_instant(clocks.next_deadline),
        last_read=_instant(reading.last_success),
        seen_through=_instant(reading.seen_through),
        authorized=reading.authorized,
    )


def _instant(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at and isfinite(at) else None


async def macros(call: Call) -> models.Macros:
    """What agents answer with, in the accounts that who asks sees."""
    seen = queue.visible(call.rules, call.who).values()
    async with transaction(call.parts.pool()) as db:
        every = await stored.all_(db)
    fit = [one for one in every if any(desk_macros.fits(one, account) for account in seen)]
    return models.Macros(macros=tuple(models.Macro.model_validate(one) for one in fit))


async def filled(call: Call) -> models.Filled:
    """A macro as it would answer a thread; it tells the buyer's name, so it is a look at it."""
    where, language = call.of(models.OneMacro), call.of(models.Tongue).language
    async with transaction(call.parts.pool()) as db:
        if await known.of(db, where.account, where.thread) is None:
            raise web.HTTPNotFound
        told = await answerbox.filled(call.request, db, where.macro, language, None)
    await thread.note(call.request, where.account, where.thread, {"messages": 0, "live": 0})
    return models.Filled.model_validate(told)


async def me(call: Call) -> models.Me:
    """Who asks, and what they may."""
    asks = call.who
    return models.Me(
        name=asks.name,
        title=asks.shown,
        role=asks.role,
        may=tuple(act for act in Act if act in MAY[asks.role]),
        accounts=None if asks.accounts is None else tuple(sorted(asks.accounts)),
        language=asks.language,
        zone=asks.zone,
        means=asks.means,
    )


ROUTES = (
    Route("GET", "/threads", "threads", "The threads that wait, the nearest deadline first",
          Act.READ, threads, models.Lines, asks=models.Wanted),
    Route("GET", "/counts", "counts", "How many threads wait, and what is wrong",
          Act.LOOK, counts, models.Counts),
    Route("GET", "/threads/{account}/{thread}", "thread",
          "A thread: its clocks and why they are due, its messages, the newest first",
          Act.READ, one_thread, models.Thread, where=models.OneThread, asks=models.Part,
          leads=(Lead("speak", "Say its language", {"account": "$request.path.account",
                      "thread": "$request.path.thread"}),)),
    Route("GET", "/accounts", "accounts", "The accounts and how each is read",
          Act.LOOK, accounts, models.Accounts),
    Route("GET", "/macros", "macros", "What agents answer with", Act.ANSWER, macros, models.Macros),
    Route("GET", "/macros/{macro}/{account}/{thread}", "filled", "A macro's text for a thread",
          Act.ANSWER, filled, models.Filled, where=models.OneMacro, asks=models.Tongue,
          refuses=(HTTPStatus.CONFLICT,)),
    Route("GET", "/me", "me", "Who asks, and what they may", Act.LOOK, me, models.Me),
)  # fmt: skip
"""What can be read."""
