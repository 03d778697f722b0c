"""What a person says of a thread: no reply is needed, or it was answered there.

Both are messages of the thread with ids of our own; the clocks are recomputed from them like from
any other.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from core import ingest
from core.arrival import answers, judging
from core.errors import Mistaken
from core.model import Message
from core.store import accounts, legible, marked, messages, threads
from sla.clock import Kind
from sla.policy import Party
from sla.turn import Delivery, Level, accepted_at, instant

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.rules import Rules
    from core.store import Db

OURS = frozenset({Level.DECIDED, Level.MARKED})


async def mark(
    db: Db,
    rules: Rules,
    account: str,
    thread: str,
    level: Level,
    now: datetime,
    *,
    sure: bool = True,
) -> None:
    """Say that no reply is needed to what is stored of *thread* by now; later than all of it.

    ``decided``: an agent decided it here; ``marked``: the agent set the marketplace's own mark,
    which we cannot see. Rule: clock.md, section 2.

    Raises:
        Mistaken: a level that is not a person's, or an unknown thread.
    """
    if level not in OURS:
        raise Mistaken("a person marks a thread as decided or as marked")
    await hold(db, rules, account, thread)
    turns = (await messages.turns(db, account, [thread]))[thread]
    at = accepted_at(max((now, *(turn.seen_at for turn in turns))), turns)
    turn = Message(
        id=_id("mark", level, at, thread),
        thread=thread,
        party=Party.SELLER,
        kind=Kind.NO_REPLY_NEEDED,
        level=level,
        origin="ours",
        sent_at=at,
    )
    await _add(db, rules, account, turn, at, now, sure=sure)


async def answered(
    db: Db,
    rules: Rules,
    account: str,
    thread: str,
    at: datetime,
    to: Collection[Party],
    now: datetime,
    *,
    sure: bool = True,
) -> None:
    """Say that *thread* was answered at the marketplace *at* an instant, to the parties in *to*.

    Raises:
        Mistaken: an instant in the future or before the thread's first message, nobody addressed,
            or an unknown thread.
    """
    if at > now:
        raise Mistaken("an answer cannot lie in the future; give the instant at which it was sent")
    if not to or Party.SELLER in to:
        raise Mistaken("an answer is addressed to the buyer, the marketplace or both")
    await hold(db, rules, account, thread)
    await _check_begun(db, account, thread, at)
    parties = frozenset(to)
    turn = Message(
        id=_id(judging.ANSWERED, "+".join(sorted(parties)), at, thread),
        thread=thread,
        party=Party.SELLER,
        kind=Kind.ANSWERED_ELSEWHERE,
        to=parties,
        delivery=Delivery.ACCEPTED,
        sent_at=at,
    )
    if await _add(db, rules, account, turn, now, now, sure=sure):
        await answers.add(db, account)


async def _check_begun(db: Db, account: str, thread: str, at: datetime) -> None:
    turns = (await messages.turns(db, account, [thread]))[thread]
    first = min((instant(turn) for turn in turns), default=at)
    if at < first:
        raise Mistaken(
            "an answer cannot lie before the thread's first message, of %(first)s", first=first
        )


def _id(said: str, what: str, at: datetime, thread: str) -> str:
    """The id of what is said of *thread*: the same when it is said again, and no other thread's."""
    return legible(f"{said}:{what}:{at.astimezone(UTC).isoformat()}:{thread}")


async def hold(db: Db, rules: Rules, account: str, thread: str) -> None:
    """Lock the thread, after its account, as whoever changes a turn does.

    Raises:
        Mistaken: there is no such thread.
    """
    watched = await accounts.watched_since(db, account, share=True)
    if watched is None or thread not in await judging.lock(db, rules, account, [thread]):
        raise Mistaken(threads.UNKNOWN, account=account, thread=thread)


async def _add(
    db: Db,
    rules: Rules,
    account: str,
    turn: Message,
    seen_at: datetime,
    now: datetime,
    *,
    sure: bool,
) -> bool:
    """Store *turn*, or let it count again, and recompute its thread; whether it is new."""
    is_new = not await messages.known(db, account, [turn.id])
    if is_new:
        await messages.add(db, account, [messages.told(turn)], seen_at)
    elif not await marked.say_again(db, account, turn.id, seen_at):
        return False
    await ingest.recompute(db, rules, account, [turn.thread], now, sure=sure)
    return is_new
