"""Acknowledges by itself, outside opening hours, that a buyer's message has arrived. RFC 3834.

Decided in the transaction that stores the message, and once more just before the letter leaves:
it goes once or not at all, whatever dies in between. What is acknowledged waits as before.

Nobody is answered twice: a thread only after a person has answered and a day has passed, a buyer
once a day in whatever thread, so that two machines that answer each other fall silent at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from core.labels import QUEUED
from core.store import acknowledgements, buyers, messages
from sla.policy import Party
from sla.turn import Kind, instant, is_delivered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from core.model import Message
    from core.rules import Acknowledging, Rules
    from core.store import Db
    from core.store.acknowledgements import Lately, Waiting
    from core.store.replies import Reply
    from sla.calendar import Calendar
    from sla.turn import Turn

RECENT = timedelta(hours=1)
"""What is older is not acknowledged any more: whoever wrote it has long noticed that it arrived."""

AGAIN = timedelta(hours=24)
"""A thread, and a buyer in whatever threads, is acknowledged once in this time."""

MOST, DURING = 60, timedelta(hours=1)
"""So many at most, and during which time: more is a robot, that may name whom it wants annoyed."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a waiting that began outside opening hours.

    *at* is its begin; *doubtful*: a machine may have written, or somebody under another's name, or
    there is nothing by which we would know the buyer in another thread;
    *shut*: the thread is closed, absent or erased; *last_at* and *answered_at* are when it was
    acknowledged, and answered by a person, last; *beside*: so was its buyer within `AGAIN`, here
    or elsewhere; *lately* is how many were `DURING` the time before.
    """

    at: datetime
    doubtful: bool = False
    shut: bool = False
    last_at: datetime | None = None
    answered_at: datetime | None = None
    beside: bool = False
    lately: int = 0


def decided(case: Case, hours: Calendar, now: datetime) -> str:
    """What becomes of *case*: one of `core.labels.ACKNOWLEDGED`; `QUEUED` where it is due."""
    if hours.is_open(now):
        return "opened"
    if not timedelta(0) <= now - case.at <= RECENT:
        return "late"
    if case.shut:
        return "closed"
    if case.doubtful:
        return "doubtful"
    if case.beside or not _is_free(case, now):
        return "repeated"
    return "crowded" if case.lately >= MOST else QUEUED


def _is_free(case: Case, now: datetime) -> bool:
    """Whether its thread may be acknowledged once more."""
    if case.last_at is None:
        return True
    answered = case.answered_at is not None and case.answered_at > case.last_at
    return answered and now - case.last_at >= AGAIN


def kept_back(
    hours: Calendar | None,
    queued_at: datetime,
    answered_at: datetime | None,
    now: datetime,
    *,
    shut: bool,
) -> str | None:
    """Why what was queued does not leave any more; None where it does.

    *hours* is None where nobody knows that it is closed, or the account acknowledges nothing more.
    """
    if hours is None or hours.is_open(now):
        return "opened"
    if now - queued_at > RECENT:
        return "late"
    if shut:
        return "closed"
    return "answered" if answered_at is not None and answered_at >= queued_at else None


def answered_at(turns: Iterable[Turn]) -> datetime | None:
    """When a person answered the buyer last, as far as is known."""
    said = (Kind.MESSAGE, Kind.ANSWERED_ELSEWHERE)
    found = (
        instant(turn) for turn in turns
        if turn.party is Party.SELLER and turn.kind in said and Party.BUYER in turn.to
        and is_delivered(turn)
    )  # fmt: skip
    return max(found, default=None)


async def acknowledge(
    db: Db,
    rules: Rules,
    account: str,
    new: Iterable[Message],
    since: datetime,
    now: datetime,
    *,
    sure: bool,
) -> tuple[str, ...]:
    """Queue what is due of messages that are *new* in an account that is watched *since* then.

    The caller holds their threads, whose clocks are computed. Where the host's clock is not
    believed (*sure*) nobody knows whether it is open: then nothing is.

    Returns:
        What became of each waiting that one of them began: words of `core.labels.ACKNOWLEDGED`.
    """
    terms = rules.acknowledging.get(account)
    asked = {} if terms is None or not sure else _asked(terms.hours, new, since, now)
    if terms is None or not asked:
        return ()
    await acknowledgements.hold(db, account)
    waiting = await acknowledgements.waiting(db, account, list(asked))
    again = [each.thread for each in waiting if each.last_at is not None]
    turns = await messages.turns(db, account, again) if again else {}
    lately = await acknowledgements.lately(db, account, now - AGAIN)
    became = []
    for each in waiting:
        case = _case(each, asked[each.message], turns.get(each.thread, ()), lately, now)
        word = decided(case, terms.hours, now)
        if word == QUEUED:
            lately.add(now, each.keys)
            await _queue(db, account, each.thread, terms, now)
        became.append(word)
    return tuple(became)


def _asked(
    hours: Calendar, new: Iterable[Message], since: datetime, now: datetime
) -> Mapping[str, Message]:
    """Those of *new* that a buyer wrote outside *hours*, since the account is watched."""
    return {
        each.id: each for each in new
        if each.party is Party.BUYER and each.kind is Kind.MESSAGE and each.sent_at is not None
        and since <= each.sent_at <= now and not hours.is_open(each.sent_at)
    }  # fmt: skip


def _case(
    found: Waiting, message: Message, turns: Iterable[Turn], lately: Lately, now: datetime
) -> Case:
    is_known = found.keys and buyers.mail(found.reply_to.get("mail", ""))
    return Case(
        at=found.at,
        doubtful=message.doubtful or not is_known,
        shut=found.shut,
        last_at=found.last_at,
        answered_at=answered_at(turns),
        beside=not lately.keys.isdisjoint(found.keys or ()),
        lately=sum(at > now - DURING for at in lately.instants),
    )


async def _queue(db: Db, account: str, thread: str, terms: Acknowledging, now: datetime) -> None:
    await acknowledgements.queue(db, account, thread, terms.text, terms.subject, now)


async def looked_at(db: Db, rules: Rules, reply: Reply, now: datetime, *, sure: bool) -> str | None:
    """Why the acknowledgement *reply*, which is about to leave, does not; its thread is held."""
    terms = rules.acknowledging.get(reply.account) if sure else None
    turns = await messages.turns(db, reply.account, [reply.thread])
    return kept_back(
        terms.hours if terms else None,
        reply.queued_at,
        answered_at(turns[reply.thread]),
        now,
        shut=await acknowledgements.is_shut(db, reply.account, reply.thread),
    )
