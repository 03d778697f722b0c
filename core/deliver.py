"""Send what is to be told: the last look, the attempt, and what becomes of it.

At least once: a notice that left and was not written down as sent leaves again, under the same id.
While the process lives it remembers what left, and writes it down when the database is back.
They leave one after the other, each written down before the next, so that a process that dies in
between has one in doubt and not a batch; only a slow receiver is sent several at once.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from core import crash, digest, keys, labels, muting, parking, spans, words
from core.errors import NotifierError
from core.loops import Trouble
from core.model import Notice, NoticeKind
from core.reading import reread
from core.reading.walk import Round
from core.stopwatch import running_from
from core.store import digests, dispatches, notices, overtaken, transaction
from core.together import gathered, in_turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.metrics import Metrics
    from core.model import Dispatch
    from core.notifier import Notifier, Words
    from core.reading.walk import Reader
    from core.rules import Rules
    from core.store import Db, Pool

log = structlog.get_logger()

AT_ONCE = 16
"""How many leave in a round: all that is claimed."""

PATIENCE = 0.2
"""Seconds after which the next leaves though the receiver has not answered yet."""

SECONDS = 30.0
LOOK = 2.0
"""Seconds for the last look at all that leaves together: it may spare a false alarm, but must not
hold up a true one."""

UNHURRIED = 0.8
"""The share of the time to leave in that must remain for the last look to be taken: the database is
slow where less does, and what is not sent in time is not sent at all."""

ATTEMPTS = 15
FIRST_WAIT = 5.0
LONGEST_WAIT = 1800.0
LONGEST_ASKED = 86_400.0
SHORTLY = 0.1
"""Seconds until the next look where another process just decides what leaves."""
LOOKED_AT = frozenset({NoticeKind.WARNING, NoticeKind.BREACH})


def _trouble() -> Trouble:
    return Trouble(begins="notifier fails", ends="notifier delivers again")


@dataclass(slots=True)
class Unsettled:
    """What a notifier's loop remembers from round to round: of what it could not write down.

    *claimed* is perhaps ours, and was not tried; *sent* left at an instant. And its *trouble* while
    it fails, which the log tells once.
    """

    claimed: list[Dispatch] = field(default_factory=list)
    sent: list[_Sent] = field(default_factory=list)
    trouble: Trouble = field(default_factory=_trouble)


@dataclass(frozen=True, slots=True)
class _Sent:
    notice: Notice
    part: Sequence[Dispatch]
    at: datetime


@dataclass(frozen=True, slots=True)
class _Outbox:
    """One notifier's part of a round; *readers* by account, for the last look."""

    this: Round
    notifier: Notifier
    readers: Mapping[str, Reader]
    unsettled: Unsettled

    @property
    def name(self) -> str:
        return self.notifier.name


async def once(
    pool: Pool,
    notifiers: Mapping[str, Notifier],
    rules: Rules,
    readers: Mapping[str, Reader],
    metrics: Metrics,
    now: datetime,
    *,
    sure: bool = True,
    unsettled: Mapping[str, Unsettled] | None = None,
) -> datetime | None:
    """Send what is due to *notifiers*, each by itself; *readers*, by account, take the last look.

    *unsettled*, by notifier, is what the caller keeps for the next round. A round is as slow as its
    slowest notifier: give each a loop of its own, ``{name: notifier}``.

    Returns:
        When to look again: at once while there is more; None while nothing waits.
    """
    this = Round(pool, rules, metrics, running_from(now), sure)
    kept = unsettled or {}
    waits = await gathered(
        _round(_Outbox(this, each, readers, kept.get(name) or Unsettled()))
        for name, each in notifiers.items()
    )
    seconds = min((each for each in waits if each is not None), default=None)
    if seconds is None:
        return None
    return this.clock() + timedelta(seconds=seconds) if seconds > 0 else now


async def _round(outbox: _Outbox) -> float | None:
    """Send one batch and one digest; the seconds until there is more, None while nothing waits."""
    await _settle(outbox)
    async with transaction(outbox.this.pool) as db:
        muted = await muting.hold_due(db, outbox.name, outbox.this.rules.routing)
        decides = await digests.lock(db, outbox.name)
        alone = await _alone(db, outbox, decides=decides)
        began = monotonic()
        claimed = await dispatches.claim(db, outbox.name, AT_ONCE, alone)
        together = await _together(db, outbox) if decides else []
        # A commit may fail, and count all the same.
        outbox.unsettled.claimed = [*claimed, *together]
    if muted:
        await _mute(outbox)
    await _last_look(outbox, began)
    outbox.unsettled.claimed = await _standing(outbox)
    parts = _parts(outbox.unsettled.claimed)
    await in_turn((_attempt(outbox, part, began) for part in parts), PATIENCE)
    if len(claimed) == AT_ONCE or together or outbox.unsettled.claimed:
        return 0.0
    async with transaction(outbox.this.pool) as db:
        seconds = await _waits(db, outbox)
    return seconds if decides or seconds is None else max(seconds, SHORTLY)


async def _settle(outbox: _Outbox) -> None:
    """Write down what left in a round before and could not be; let go of what was not tried."""
    for sent in list(outbox.unsettled.sent):
        await _write_down(outbox, sent)
    if outbox.unsettled.claimed:
        async with transaction(outbox.this.pool) as db:
            await dispatches.put_back(db, outbox.name, outbox.unsettled.claimed)
        outbox.unsettled.claimed = []


async def _mute(outbox: _Outbox) -> None:
    """Hold back what of the claimed is muted: it may have been raised since that was looked for."""
    claimed, routing = outbox.unsettled.claimed, outbox.this.rules.routing
    async with transaction(outbox.this.pool) as db:
        left = await muting.hold_claimed(db, outbox.name, routing, claimed)
    outbox.unsettled.claimed = left


async def _alone(db: Db, outbox: _Outbox, *, decides: bool) -> list[int] | None:
    """Which notices leave by themselves, where there may be floods; None: all.

    In a flood the rest gathers; who does not decide sends none of it.
    """
    after = outbox.notifier.digest_after
    if not after:
        return None
    if not decides:
        return []
    await digests.set_apart(db, outbox.name)
    due = await digests.outflow(db, outbox.name, after, outbox.this.clock())
    first = due.first(after)
    await digests.gather(db, outbox.name, due, first)
    return first


async def _together(db: Db, outbox: _Outbox) -> list[Dispatch]:
    """What leaves as a digest, if one is due."""
    await dispatches.release(db, outbox.name)
    return await digests.claim(db, outbox.name, outbox.this.clock())


async def _waits(db: Db, outbox: _Outbox) -> float | None:
    """Seconds until something is due again, alone or together; None where nothing waits."""
    alone = await dispatches.waits(db, outbox.name)
    ripe = await digests.ripening(db, outbox.name, outbox.this.clock())
    waits = [each for each in (alone, ripe.seconds if ripe else None) if each is not None]
    return max(0.0, min(waits)) if waits else None


async def _last_look(outbox: _Outbox, began: float) -> None:
    """Read the threads once more: what was answered there drops its own dispatches.

    Accounts side by side, each as many threads as `LOOK` allows, the most urgent first: the rest
    is told as it is, true alarms must not queue behind doubts. None where the database is slow.
    """
    if _left(began) < UNHURRIED * _left(monotonic()):
        return
    by_account: dict[str, list[str]] = {}
    for notice in (dispatch.notice for dispatch in outbox.unsettled.claimed):
        if notice.kind in LOOKED_AT and notice.thread is not None:
            by_account.setdefault(notice.account, []).append(notice.thread)
    await gathered(
        reread.now(outbox.this, outbox.readers.get(account), list(dict.fromkeys(ids)), LOOK)
        for account, ids in by_account.items()
    )


async def _standing(outbox: _Outbox) -> list[Dispatch]:
    """What of the claimed is still to be told; the rest is counted as suppressed."""
    claimed = outbox.unsettled.claimed
    if not claimed:
        return []
    async with transaction(outbox.this.pool) as db:
        await overtaken.keep_back(db, outbox.name, claimed)
        dropped = await dispatches.dropped(db, outbox.name, dispatches.numbers(claimed))
        claimed = await muting.closing(db, outbox.name, claimed)
    for why in dropped.values():
        outbox.this.metrics.notifications_suppressed.labels(outbox.name, why).inc()
    return [dispatch for dispatch in claimed if dispatch.notice.id not in dropped]


def _parts(standing: Sequence[Dispatch]) -> list[list[Dispatch]]:
    """What leaves by itself, each for itself, and then what leaves together."""
    parts = [[dispatch] for dispatch in standing if dispatch.digest is None]
    together = [dispatch for dispatch in standing if dispatch.digest is not None]
    return [*parts, together] if together else parts


def _left(began: float) -> float:
    """Seconds in which what was claimed at *began* (monotonic) may still set out.

    An attempt must end within the lease: afterwards another may have claimed it.
    """
    return began + dispatches.LEASE.total_seconds() - SECONDS - monotonic()


async def _attempt(outbox: _Outbox, part: Sequence[Dispatch], began: float) -> None:
    """Send one notice, or several as one digest, and write down what became of it.

    What our lease may be too short for is put back by the next round: we were stopped, or slow.
    """
    if _left(began) < 0:
        log.warning("dispatch left to its next claim", notifier=outbox.name, dispatches=len(part))
        return
    _tried(outbox, part)
    notice = digest.notice(part) if keys.is_digest(part[0].digest) else part[0].notice
    with spans.of("deliver", notifier=outbox.name, kind=notice.kind.value, dispatches=len(part)):
        await _send(outbox, part, notice)


async def _send(outbox: _Outbox, part: Sequence[Dispatch], notice: Notice) -> None:
    try:
        said = _say(outbox, notice, part)
        async with asyncio.timeout(SECONDS):
            await outbox.notifier.send(notice, said)
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
        await _sent(outbox, notice, part)


def _tried(outbox: _Outbox, part: Sequence[Dispatch]) -> None:
    ids = set(dispatches.numbers(part))
    claimed = outbox.unsettled.claimed
    outbox.unsettled.claimed = [each for each in claimed if each.notice.id not in ids]


def _say(outbox: _Outbox, notice: Notice, part: Sequence[Dispatch]) -> Words:
    zone, now = outbox.notifier.zone, outbox.this.clock()
    if keys.is_digest(part[0].digest):
        rules = outbox.this.rules
        said = [
            (one, words.render(one.notice, rules, url=None, zone=zone, now=now).subject)
            for one in part
            if one.notice.kind not in digest.COUNTED
        ]
        return digest.render(notice, part, rules, said, zone=zone, now=now)
    return words.render(notice, outbox.this.rules, url=part[0].url, zone=zone, now=now)


async def _sent(outbox: _Outbox, notice: Notice, part: Sequence[Dispatch]) -> None:
    sent = _Sent(notice, part, outbox.this.clock())
    outbox.unsettled.sent.append(sent)
    outbox.unsettled.trouble.passed(notifier=outbox.name)
    _counted(outbox, notice, "delivered")
    delay = (sent.at - _held_until(part, notice.raised_at)).total_seconds()
    outbox.this.metrics.notification_delay.labels(outbox.name).observe(max(0.0, delay))
    await _write_down(outbox, sent)


def _held_until(part: Sequence[Dispatch], raised_at: datetime) -> datetime:
    """From when it could have left: a mute is no delay of ours."""
    return max([raised_at, *(one.muted.mute.end for one in part if one.muted)])


async def _write_down(outbox: _Outbox, sent: _Sent) -> None:
    async with transaction(outbox.this.pool) as db:
        too_late = await dispatches.done(db, outbox.name, dispatches.numbers(sent.part), sent.at)
        await notices.correct(
            db, [_correction(d.notice, sent.at) for d in sent.part if d.notice.id in too_late]
        )
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
    outbox: _Outbox, notice: Notice, part: Sequence[Dispatch], fault: NotifierError
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
        await parking.tell(db, outbox.this.rules, outbox.name, still, reason, outbox.this.clock())
    log.warning("dispatch parked", notifier=outbox.name, kind=notice.kind.value, error=str(fault))


def delay(attempts: int, asked: float | None, chance: float) -> timedelta:
    """How long to wait after so many attempts: doubling, spread by a quarter, at least as asked.

    *asked* are the receiver's own seconds; *chance* (0..1) spreads what failed together.
    """
    doubled = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts - 1, 20))
    seconds = doubled * (0.75 + chance / 2)
    return timedelta(seconds=max(seconds, min(asked or 0.0, LONGEST_ASKED)))


def _counted(outbox: _Outbox, notice: Notice, outcome: str) -> None:
    level = labels.level(notice.kind)
    outbox.this.metrics.notifications.labels(outbox.name, level, outcome).inc()
