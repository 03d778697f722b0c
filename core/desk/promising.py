"""A further answer that an agent promises a buyer: a given deadline of kind `follow_up`.

Each promise is a clock of its own, which our next message to the buyer ends. It can be moved while
it is ahead, and withdrawn, with a reason; it is a reading like any that the marketplace gives
(table `given`), so explanations, history and reports know it. Rule: clock.md, section 5.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from core import ingest
from core.access import Act
from core.arrival import judging
from core.errors import Mistaken, NotAllowed, StoreGaveUp
from core.store import Raced, accounts, audit, clocks, readings, threads, wake
from core.store import promised as stored
from sla.clock import Given
from sla.given import FOLLOW_UP, age
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from core.access import Who
    from core.model import ClockRow
    from core.rules import Rules
    from core.store import Db
    from core.store.replies import Reply

Made = Literal["promised", "with_reply"]

ACT = "reply"
"""What the first promise of a thread is called; those after it are ``reply-2``, ``reply-3``."""
APART = timedelta(minutes=1)
"""So long after a reply was accepted what it promised begins: the marketplace may date that reply
a little later than we, and it is no answer to itself (clocks differ by 30 s at most, section 1)."""
LONGEST = timedelta(days=366)
TICK = timedelta(microseconds=1)
TRIES = 10
MOST_REASON = 300


async def promise(
    db: Db,
    rules: Rules,
    who: Who,
    account: str,
    thread: str,
    due_at: datetime,
    now: datetime,
    *,
    sure: bool = True,
) -> Made:
    """Promise the buyer of a thread a further answer by *due_at*.

    Where a reply of ours is still waiting to leave, it begins when that has left, for it would end
    it (``with_reply``); where that does not leave after all, it begins then.

    Raises:
        NotAllowed: *who* may not answer there.
        Mistaken: the instant is no promise, a promise runs or waits, or there is no such thread.
        StoreGaveUp: replies keep leaving; try again.
    """
    check(due_at, now)
    for _ in range(TRIES):
        with suppress(Raced):
            async with db.transaction():
                made = await _promise(db, rules, who, account, thread, due_at, now, sure=sure)
            await _done(
                db, who, "promise", account, thread, {"by": in_utc(due_at), "how": made}, now
            )
            return made
    raise StoreGaveUp("replies keep leaving there; promise it again")


async def _promise(
    db: Db,
    rules: Rules,
    who: Who,
    account: str,
    thread: str,
    due_at: datetime,
    now: datetime,
    *,
    sure: bool,
) -> Made:
    await stored.hold(db, account, thread)
    given = await _hold(db, rules, who, account, thread)
    await stored.check_held(db, account, thread)
    if running := await of_thread(db, account, thread):
        until = running[0].clock.due_at
        raise Mistaken("an answer is promised there by %(at)s already; move that promise", at=until)
    if (waits := await stored.waiting(db, account, thread)) is not None:
        raise Mistaken(
            "an answer is promised there by %(at)s with a reply that waits to leave; "
            "move that promise when it has left",
            at=waits,
        )
    if await stored.ride(db, account, thread, due_at):
        return "with_reply"
    left = await stored.unread(db, account, thread)
    begins = now if left is None else min(max(now, left + APART), due_at)
    await _append(db, account, thread, _asking(given, due_at, begins, now))
    await ingest.recompute(db, rules, account, [thread], now, sure=sure)
    return "promised"


async def move(
    db: Db,
    rules: Rules,
    who: Who,
    account: str,
    thread: str,
    due_at: datetime,
    reason: str,
    now: datetime,
    *,
    sure: bool = True,
) -> None:
    """Promise the answer that is promised in a thread by another instant, because of *reason*.

    Raises:
        NotAllowed: *who* may not answer there.
        Mistaken: no promise runs that is ahead, no reason is given, or the instant is no promise.
    """
    check(due_at, now)
    given = await _hold(db, rules, who, account, thread)
    row = await _running(db, account, thread)
    if row.clock.due_at < now:
        raise Mistaken(
            "what was promised by %(at)s is late, and stays so; answer, or withdraw it",
            at=row.clock.due_at,
        )
    reading = _asking(given, due_at, row.clock.started_at, now, _act(row), _reason(reason))
    await _append(db, account, thread, reading)
    await ingest.recompute(db, rules, account, [thread], now, sure=sure)
    detail = {"from": in_utc(row.clock.due_at), "by": in_utc(due_at)}
    await _done(db, who, "move_promise", account, thread, detail, now)


async def withdraw(
    db: Db,
    rules: Rules,
    who: Who,
    account: str,
    thread: str,
    reason: str,
    now: datetime,
    *,
    sure: bool = True,
) -> None:
    """Take back what is promised in a thread, because of *reason*; what is late ends as late.

    Raises:
        NotAllowed: *who* may not answer there.
        Mistaken: no promise runs, or no reason is given.
    """
    given = await _hold(db, rules, who, account, thread)
    row = await _running(db, account, thread)
    act, at = _act(row), _next(given, now)
    over = Given(FOLLOW_UP, act, asks=False, as_of=at, read_at=now, outcome="withdrawn",
                 by_message=True, sentence=_reason(reason))  # fmt: skip
    await _append(db, account, thread, over)
    await ingest.recompute(db, rules, account, [thread], now, sure=sure)
    detail = {"was": in_utc(row.clock.due_at)}
    await _done(db, who, "withdraw_promise", account, thread, detail, now)


async def begin(db: Db, reply: Reply, now: datetime) -> None:
    """Let begin, once, what *reply* promises, which has left or may have; the caller recomputes.

    What was promised when it left counts, not what is running by then. The thread is held.
    """
    due_at = await stored.take(db, reply.id)
    if due_at is not None:
        await _begin(db, reply, due_at, min(now + APART, due_at), now)


async def go_on(db: Db, rules: Rules, reply: Reply, now: datetime, *, sure: bool = True) -> None:
    """Let begin what was promised apart from *reply*, which does not leave after all.

    Where another reply waits to leave, it begins when that has.
    """
    due_at = await stored.take(db, reply.id, apart=True)
    if due_at is None or await accounts.watched_since(db, reply.account, share=True) is None:
        return
    await judging.lock(db, rules, reply.account, [reply.thread])
    if await stored.ride(db, reply.account, reply.thread, due_at):
        return
    await _begin(db, reply, due_at, min(now, due_at), now)
    await ingest.recompute(db, rules, reply.account, [reply.thread], now, sure=sure)
    await wake.changed(db, {reply.account: [reply.thread]}, "watch")


async def _begin(db: Db, reply: Reply, due_at: datetime, begins: datetime, now: datetime) -> None:
    """Append what *reply* promised; nobody waits where the buyer was erased meanwhile."""
    held = await threads.lock(db, reply.account, [reply.thread])
    if reply.thread not in held or held[reply.thread].erased_at is not None:
        return
    given = (await readings.of(db, reply.account, [reply.thread]))[reply.thread]
    await _append(db, reply.account, reply.thread, _asking(given, due_at, begins, now))


async def of_thread(db: Db, account: str, thread: str) -> list[ClockRow]:
    """The promises of a further answer that run in a thread, the nearest first."""
    rows = await clocks.of_thread(db, account, thread)
    running = [row for row in rows if is_promise(row) and row.clock.ended is None]
    return sorted(running, key=lambda row: row.clock.due_at)


def is_promise(row: ClockRow) -> bool:
    """Whether a clock is of what an agent promised."""
    return row.clock.promise.startswith(f"given:{FOLLOW_UP}:")


def check(due_at: datetime, now: datetime) -> None:
    """Refuse what is no promise.

    Raises:
        Mistaken: *due_at* is not ahead, or further than anybody waits.
    """
    if due_at <= now:
        raise Mistaken("a promise is for later; give an instant that is ahead")
    if due_at > now + LONGEST:
        raise Mistaken("nobody waits for a year; promise an answer sooner")


def _asking(
    given: Iterable[Given],
    due_at: datetime,
    begins: datetime,
    now: datetime,
    act: str | None = None,
    reason: str | None = None,
) -> Given:
    """The reading that an answer is promised by *due_at*, under a name of its own or as *act*."""
    known = list(given)
    at = _next(known, max(now, begins) if act is None else now)
    return Given(FOLLOW_UP, act or _free(known), asks=True, as_of=at, read_at=now, due_at=due_at,
                 starts_at=begins, by_message=True, sentence=reason)  # fmt: skip


def _free(given: Iterable[Given]) -> str:
    acts = {one.act for one in given if one.kind == FOLLOW_UP}
    return ACT if not acts else f"{ACT}-{len(acts) + 1}"


def _next(given: Iterable[Given], at: datetime) -> datetime:
    """*at*, or just after the newest promise there: the newest reading stands."""
    newest = max((one for one in given if one.kind == FOLLOW_UP), key=age, default=None)
    return at if newest is None else max(at, newest.as_of + TICK)


async def _hold(db: Db, rules: Rules, who: Who, account: str, thread: str) -> Sequence[Given]:
    """Lock the thread, as whoever changes a turn does; its readings."""
    if not who.may(Act.ANSWER, account):
        raise NotAllowed("you may not answer for %(account)s; ask a lead", account=account)
    watched = await accounts.watched_since(db, account, share=True)
    held = await judging.lock(db, rules, account, [thread]) if watched is not None else {}
    if thread not in held:
        raise Mistaken(threads.UNKNOWN, account=account, thread=thread)
    if held[thread].erased_at is not None:
        raise Mistaken("the buyer of %(thread)s was erased; nobody waits there", thread=thread)
    return (await readings.of(db, account, [thread]))[thread]


async def _running(db: Db, account: str, thread: str) -> ClockRow:
    running = await of_thread(db, account, thread)
    if not running:
        raise Mistaken("no answer is promised there that was not given")
    return running[0]


def _act(row: ClockRow) -> str:
    return row.clock.promise.rpartition(":")[2]


def _reason(reason: str) -> str:
    said = " ".join(reason.split())
    if not said:
        raise Mistaken("say why: a buyer was promised something else")
    return said[:MOST_REASON]


async def _append(db: Db, account: str, thread: str, reading: Given) -> None:
    await readings.add(db, account, [(thread, reading)])


async def _done(
    db: Db, who: Who, act: str, account: str, thread: str, detail: dict[str, str], now: datetime
) -> None:
    await audit.write(db, who, act, account=account, thread=thread, detail=detail, now=now)
    await wake.changed(db, {account: [thread]}, "watch")
