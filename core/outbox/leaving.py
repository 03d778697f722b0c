"""One attempt to tell a notifier, and what became of it: sent, to be tried again, or parked."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import crash, digest, keys, labels, parking, spans
from core.errors import NotifierError
from core.model import Notice, NoticeKind
from core.notifier import Closes
from core.outbox import batch, naming
from core.outbox.batch import Outbox, Sent
from core.routing import vacancies
from core.store import dispatches, incidents, notices, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.model import Dispatch
    from core.notifier import Words

log = structlog.get_logger()

ATTEMPTS = 15
FIRST_WAIT = 5.0
LONGEST_WAIT = 1800.0
LONGEST_ASKED = 86_400.0


async def attempt(outbox: Outbox, part: Sequence[Dispatch], began: float) -> None:
    """Send one notice, or several as one digest, and write down what became of it.

    What our lease may be too short for is put back by the next round: we were stopped, or slow.
    """
    await _opening(outbox, part)
    if batch.left(began) < 0:
        log.warning("dispatch left to its next claim", notifier=outbox.name, dispatches=len(part))
        return
    _tried(outbox, part)
    notice = digest.notice(part) if keys.is_digest(part[0].digest) else part[0].notice
    with spans.of("deliver", notifier=outbox.name, kind=notice.kind.value, dispatches=len(part)):
        await _send(outbox, part, notice)


async def _opening(outbox: Outbox, part: Sequence[Dispatch]) -> None:
    """Write what is to stand open at the receiver before it is told: we may be killed after."""
    if not isinstance(outbox.notifier, Closes) or not any(map(incidents.opens, part)):
        return
    async with transaction(outbox.this.pool) as db:
        await incidents.hold(db, part)
        await incidents.opens_with(db, outbox.name, part)


async def _send(outbox: Outbox, part: Sequence[Dispatch], notice: Notice) -> None:
    try:
        said = _say(outbox, notice, part)
        async with asyncio.timeout(batch.SECONDS):
            name = await _tell(outbox, notice, said)
    except NotifierError as fault:
        await _failed(outbox, notice, part, fault)
    except TimeoutError:
        await _failed(outbox, notice, part, NotifierError("no answer in time"))
    except Exception as fault:  # noqa: BLE001  # a notifier's bug parks its notices and silences no other
        log.error(  # noqa: TRY400  # its text may quote whatever was sent
            "notifier failed", notifier=outbox.name, kind=notice.kind.value,
            error=type(fault).__name__, trace=crash.places(fault),
        )  # fmt: skip
        await _failed(outbox, notice, part, NotifierError(type(fault).__name__))
    else:
        await _sent(outbox, notice, part, name)


async def _tell(outbox: Outbox, notice: Notice, said: Words) -> str | None:
    """Send it, or close what it says is over; what the receiver calls the message."""
    notifier = outbox.notifier
    if notice.kind is not NoticeKind.ANSWERED or not isinstance(notifier, Closes):
        return await notifier.send(notice, said)
    async with transaction(outbox.this.pool) as db:
        names = await incidents.names(db, outbox.name, notice.clock)
    await notifier.close(notice, said, names)
    return None


def _tried(outbox: Outbox, part: Sequence[Dispatch]) -> None:
    ids = set(dispatches.numbers(part))
    claimed = outbox.unsettled.claimed
    outbox.unsettled.claimed = [each for each in claimed if each.notice.id not in ids]


def _say(outbox: Outbox, notice: Notice, part: Sequence[Dispatch]) -> Words:
    if keys.is_digest(part[0].digest):
        return naming.together(outbox, notice, part, naming.said(outbox, part))
    alone, now = naming.alone(outbox, part[0]), outbox.this.clock()
    return replace(alone, act_url=outbox.takes(part[0], now)) if outbox.takes else alone


async def _sent(outbox: Outbox, notice: Notice, part: Sequence[Dispatch], name: str | None) -> None:
    sent = Sent(notice, part, outbox.this.clock(), name)
    outbox.unsettled.sent.append(sent)
    outbox.unsettled.trouble.passed(notifier=outbox.name)
    _counted(outbox, notice, "delivered")
    outbox.this.metrics.duties.vacant({name for one in part for name in vacancies(one.ways)})
    delay = (sent.at - _held_until(part, notice.raised_at)).total_seconds()
    outbox.this.metrics.notification_delay.labels(outbox.name).observe(max(0.0, delay))
    await write_down(outbox, sent)


def _held_until(part: Sequence[Dispatch], raised_at: datetime) -> datetime:
    """From when it could have left: a mute is no delay of ours, nor are quiet hours."""
    quiet = filter(None, (keys.quiet_until(one.digest) for one in part))
    return max([raised_at, *(one.muted.mute.end for one in part if one.muted), *quiet])


async def write_down(outbox: Outbox, sent: Sent) -> None:
    """Write that *sent* has left, and raise what follows where it was over by then."""
    closes = isinstance(outbox.notifier, Closes)
    told = [one for one in sent.part if closes and incidents.opens(one)]
    async with transaction(outbox.this.pool) as db:
        await incidents.hold(db, told)
        too_late = await dispatches.done(db, outbox.name, dispatches.numbers(sent.part), sent.at)
        for one in told:
            await incidents.opened(db, outbox.name, one, sent.name)
        back = [_correction(d.notice, sent.at) for d in sent.part if d.notice.id in too_late]
        await notices.correct(db, back)
        clocks = [one.notice.clock for one in told if one.notice.clock is not None]
        taken = [notice.clock for notice in back if notice.clock is not None]
        await incidents.settle(db, clocks, sent.at, taken_back=taken)
    outbox.unsettled.sent.remove(sent)


def _correction(breach: Notice, now: datetime) -> Notice:
    """What follows a breach that was taken back while it was leaving."""
    clock, revision, _ = breach.key.split("/")
    return Notice(
        key=keys.corrected(int(clock), int(revision)),
        kind=NoticeKind.CORRECTED,
        account=breach.account,
        raised_at=now,
        thread=breach.thread,
        clock=breach.clock,
        due_at=breach.due_at,
        facts=tuple(fact for fact in breach.facts if fact[0] == "promise"),
    )


async def _failed(
    outbox: Outbox, notice: Notice, part: Sequence[Dispatch], fault: NotifierError
) -> None:
    attempts = max(dispatch.attempts for dispatch in part)
    given_up = fault.permanent or attempts >= ATTEMPTS
    _counted(outbox, notice, "dead" if given_up else "retried")
    if not fault.permanent:  # which is of this one notice, and told with it
        outbox.unsettled.trouble.failed(fault, notifier=outbox.name)
    async with transaction(outbox.this.pool) as db:
        if not given_up:
            wait = delay(attempts, fault.retry_after, random.random())  # noqa: S311  # spreads retries, guards nothing
            await dispatches.retry(db, outbox.name, dispatches.numbers(part), wait, str(fault))
            return
        reason = "refused" if fault.permanent else "given_up"
        parked = await dispatches.park(
            db, outbox.name, dispatches.numbers(part), reason, str(fault)
        )
        still = [dispatch for dispatch in part if dispatch.notice.id in parked]
        if fault.permanent and isinstance(outbox.notifier, Closes):
            await incidents.untold(db, outbox.name, sorted(parked))
        await parking.tell(db, outbox.this.rules, outbox.name, still, reason, outbox.this.clock())
    log.warning("dispatch parked", notifier=outbox.name, kind=notice.kind.value, error=str(fault))


def delay(attempts: int, asked: float | None, chance: float) -> timedelta:
    """How long to wait after so many attempts: doubling, spread by a quarter, at least as asked.

    *asked* are the receiver's own seconds; *chance* (0..1) spreads what failed together.
    """
    doubled = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts - 1, 20))
    seconds = doubled * (0.75 + chance / 2)
    return timedelta(seconds=max(seconds, min(asked or 0.0, LONGEST_ASKED)))


def _counted(outbox: Outbox, notice: Notice, outcome: str) -> None:
    level = labels.level(notice.kind)
    outbox.this.metrics.notifications.labels(outbox.name, level, outcome).inc()
