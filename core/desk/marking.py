"""Say that no reply is needed, or that it was given there; see before what that ends; take it back.

There are levels of truth: ``decided`` is ours, and ends our own goals and contracts of marketplaces
without a mark; ``marked`` says that the marketplace's own mark was set, which nobody here can see.
Rule: clock.md, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import ingest, marks
from core.access import Act
from core.arrival import computing
from core.desk import answering
from core.errors import Mistaken, NotAllowed
from core.store import audit, marked, messages, threads, unread, wake
from core.store.messages import StoredTurn
from sla.clock import Kind
from sla.policy import Party
from sla.turn import Level, accepted_at

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from core.access import Who
    from core.capabilities import Capabilities
    from core.desk.answering import Beaten
    from core.rules import Rules
    from core.store import Db
    from sla.clock import Clock

LEVELS = (Level.DECIDED, Level.MARKED)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a mark of a *level* would end of the clocks that run, and what would go on running."""

    level: Level
    ends: tuple[Clock, ...]
    goes_on: tuple[Clock, ...]


def levels(can: Capabilities) -> tuple[Level, ...]:
    """The levels at which a person can say it at a marketplace."""
    return LEVELS if can.unseen_mark else LEVELS[:1]


def check_level(level: str, can: Capabilities) -> None:
    """Refuse a person's word for a mark of the marketplace that is not there, or that we see.

    Raises:
        Mistaken: what to do instead.
    """
    if level != Level.MARKED or can.unseen_mark:
        return
    if can.own_mark:
        raise Mistaken(
            "this marketplace's own mark is read: set it there, and it counts; or: decided"
        )
    raise Mistaken("this marketplace has no mark of its own: say decided, or answer the thread")


def compared(level: Level, before: Sequence[Clock], after: Sequence[Clock]) -> Foreseen:
    """What of the clocks that run *before* a mark has ended *after* it. Pure."""
    running = [one for one in before if one.ended is None]
    still = {_which(one) for one in after if one.ended is None}
    return Foreseen(
        level,
        tuple(one for one in running if _which(one) not in still),
        tuple(one for one in running if _which(one) in still),
    )


def _which(clock: Clock) -> tuple[str, Party, str]:
    return clock.promise, clock.waits_for, clock.started_by


async def foreseen(
    db: Db, rules: Rules, account: str, thread: str, level: Level, now: datetime
) -> Foreseen:
    """What a mark of *level* would come to now; nothing is written or locked.

    Raises:
        Mistaken: there is no such thread.
    """
    known = await threads.of(db, account, thread)
    if known is None:
        raise Mistaken(threads.UNKNOWN, account=account, thread=thread)
    stored = await messages.turns(db, account, [thread])
    turns, given = stored[thread], await unread.given(db, account, [thread], stored)
    at = accepted_at(max((now, *(turn.seen_at for turn in turns))), turns)
    mark = StoredTurn("mark:", Party.SELLER, Kind.NO_REPLY_NEEDED, at, at, frozenset(), None, level)
    told = [
        computing.computed(rules, account, {thread: known}, {thread: each}, given)[thread].clocks
        for each in (turns, [*turns, mark])
    ]
    return compared(level, *told)


async def mark(
    db: Db,
    rules: Rules,
    who: Who,
    account: str,
    thread: str,
    level: Level,
    can: Capabilities,
    now: datetime,
    *,
    seen: str | None = None,
    sure: bool = True,
) -> Beaten | None:
    """Say that no reply is needed to what is stored of a thread.

    *seen* is what *who* had seen of it (`beaten.seen`), None: nobody asks.

    Returns:
        None where it is said; else who has written since, of which it would be said unread.

    Raises:
        NotAllowed: *who* may not answer there.
        Mistaken: nobody could have set the marketplace's mark unseen, or an unknown thread.
    """
    _check(who, account)
    check_level(level, can)
    await marks.hold(db, rules, account, thread)
    if new := await answering.overlooked(db, who, account, thread, seen, now):
        return new
    await marks.mark(db, rules, account, thread, level, now, sure=sure)
    await _done(db, who, "mark", account, thread, {"level": level}, now)
    return None


async def answered(
    db: Db,
    rules: Rules,
    who: Who,
    account: str,
    thread: str,
    at: datetime,
    to: Collection[Party],
    now: datetime,
    *,
    seen: str | None = None,
    sure: bool = True,
) -> Beaten | None:
    """Say that a thread was answered at the marketplace *at* an instant, to the parties in *to*.

    *seen* is what *who* had seen of it (`beaten.seen`), None: nobody asks.

    Returns:
        None where it is said; else who has written since, but before *at*.

    Raises:
        NotAllowed: *who* may not answer there.
        Mistaken: as `core.marks.answered`.
    """
    _check(who, account)
    await marks.hold(db, rules, account, thread)
    if new := await answering.overlooked(db, who, account, thread, seen, now, until=at):
        return new
    await marks.answered(db, rules, account, thread, at, to, now, sure=sure)
    await _done(db, who, "answered", account, thread, {"at": at.isoformat()}, now)
    return None


async def take_back(
    db: Db,
    rules: Rules,
    who: Who,
    account: str,
    thread: str,
    said: str,
    now: datetime,
    *,
    sure: bool = True,
) -> bool:
    """Let what was said of a thread here, by its message's id, not count; its clocks run again.

    What was said stays, with the correction beside it (clock.md, section 2).

    Returns:
        Whether it counted until now.

    Raises:
        NotAllowed: *who* may not answer there.
        Mistaken: there is no such thread.
    """
    _check(who, account)
    await marks.hold(db, rules, account, thread)
    kind = await marked.take_back(db, account, thread, said)
    if kind is None:
        return False
    await ingest.recompute(db, rules, account, [thread], now, sure=sure)
    await _done(db, who, "take_back", account, thread, {"what": kind}, now)
    return True


def _check(who: Who, account: str) -> None:
    if not who.may(Act.ANSWER, account):
        raise NotAllowed("you may not answer for %(account)s; ask a lead", account=account)


async def _done(
    db: Db,
    who: Who,
    act: str,
    account: str,
    thread: str,
    detail: Mapping[str, str],
    now: datetime,
) -> None:
    await audit.write(db, who, act, account=account, thread=thread, detail=detail, now=now)
    await wake.changed(db, {account: [thread]}, "watch")
