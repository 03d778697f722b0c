"""Send what is to be told: the last look, the attempt, and what becomes of it.

At least once: a notice that left and was not written down as sent leaves again, under the same id.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import keys, labels, words
from core.errors import NotifierError
from core.model import Notice, NoticeKind
from core.reading import reread
from core.reading.walk import Round
from core.stopwatch import running_from
from core.store import dispatches, notices, transaction
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from core.metrics import Metrics
    from core.model import Dispatch
    from core.notifier import Notifier, Words
    from core.reading.walk import Reader
    from core.rules import Rules
    from core.store import Db, Pool

log = structlog.get_logger()

AT_ONCE = 16
"""How many leave together: all that is claimed, so that no lease runs out in a queue."""

SECONDS = 30.0
LOOK = 2.0
"""Seconds for the last look at all that leaves together: it may spare a false alarm, but must not
hold up a true one."""

ATTEMPTS = 15
FIRST_WAIT = 5.0
LONGEST_WAIT = 1800.0
LONGEST_ASKED = 86_400.0
LOOKED_AT = frozenset({NoticeKind.WARNING, NoticeKind.BREACH})


@dataclass(frozen=True, slots=True)
class _Outbox:
    """One notifier's part of a round; *readers* by account, for the last look."""

    this: Round
    notifier: Notifier
    readers: Mapping[str, Reader]

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
) -> datetime | None:
    """Send what is due to *notifiers*, each by itself; *readers*, by account, take the last look.

    A round is as slow as its slowest notifier: give each a loop of its own, ``{name: notifier}``.

    Returns:
        When to look again: at once while there is more; None while nothing waits.
    """
    this = Round(pool, rules, metrics, running_from(now), sure)
    if any(await gathered(_round(_Outbox(this, each, readers)) for each in notifiers.values())):
        return now
    async with transaction(pool) as db:
        seconds = await dispatches.waits(db, list(notifiers))
    return None if seconds is None else this.clock() + timedelta(seconds=max(0.0, seconds))


async def abandon(pool: Pool, names: Collection[str], rules: Rules, now: datetime) -> int:
    """Park what is meant for notifiers that are none of *names*, and tell the fallback; how many.

    To be called once at the start: what left the settings would wait for ever.
    """
    async with transaction(pool) as db:
        gone = await dispatches.park_gone(db, names)
        for dispatch in gone:
            await _tell_parked(db, rules, dispatch.notifier, [dispatch], "notifier_gone", now)
    return len(gone)


async def _round(outbox: _Outbox) -> bool:
    """Send one batch and one digest; True while there may be more."""
    async with transaction(outbox.this.pool) as db:
        await dispatches.release(db, outbox.name)
        claimed = await dispatches.claim(db, outbox.name, AT_ONCE)
        digest = await dispatches.claim_digest(db, outbox.name)
    await _last_look(outbox, [*claimed, *digest])
    standing = await _standing(outbox, claimed)
    together = await _standing(outbox, digest)
    parts = [[dispatch] for dispatch in standing] + ([together] if together else [])
    await gathered(_attempt(outbox, part) for part in parts)
    return len(claimed) == AT_ONCE or bool(digest)


async def _last_look(outbox: _Outbox, claimed: Sequence[Dispatch]) -> None:
    """Read the threads once more: what was answered there drops its own dispatches.

    Accounts side by side, each as many threads as `LOOK` allows, the most urgent first: the rest
    is told as it is, true alarms must not queue behind doubts.
    """
    by_account: dict[str, list[str]] = {}
    for notice in (dispatch.notice for dispatch in claimed):
        if notice.kind in LOOKED_AT and notice.thread is not None:
            by_account.setdefault(notice.account, []).append(notice.thread)
    await gathered(
        reread.now(outbox.this, outbox.readers.get(account), list(dict.fromkeys(ids)), LOOK)
        for account, ids in by_account.items()
    )


async def _standing(outbox: _Outbox, claimed: Sequence[Dispatch]) -> list[Dispatch]:
    """What is still to be told; the rest is counted as suppressed."""
    if not claimed:
        return []
    async with transaction(outbox.this.pool) as db:
        dropped = await dispatches.dropped(db, outbox.name, _ids(claimed))
    for why in dropped.values():
        outbox.this.metrics.notifications_suppressed.labels(outbox.name, why).inc()
    return [dispatch for dispatch in claimed if dispatch.notice.id not in dropped]


async def _attempt(outbox: _Outbox, part: Sequence[Dispatch]) -> None:
    """Send one notice, or several as one digest, and write down what became of it."""
    notice = _digest(part) if part[0].digest is not None else part[0].notice
    try:
        said = _say(outbox, notice, part)
        async with asyncio.timeout(SECONDS):
            await outbox.notifier.send(notice, said)
    except NotifierError as fault:
        await _failed(outbox, notice, part, fault)
    except TimeoutError:
        await _failed(outbox, notice, part, NotifierError("no answer in time"))
    except Exception as fault:  # a notifier's bug parks its notices and silences no other
        log.exception("notifier failed", notifier=outbox.name, kind=notice.kind.value)
        await _failed(outbox, notice, part, NotifierError(type(fault).__name__))
    else:
        await _sent(outbox, notice, part)


def _say(outbox: _Outbox, notice: Notice, part: Sequence[Dispatch]) -> Words:
    zone, now = outbox.notifier.zone, outbox.this.clock()
    if part[0].digest is not None:
        return words.render_digest(notice, part, outbox.this.rules, zone=zone, now=now)
    return words.render(notice, outbox.this.rules, url=part[0].url, zone=zone, now=now)


def _digest(part: Sequence[Dispatch]) -> Notice:
    """The notice under which *part* leaves together; its key is the digest's."""
    breaches = sum(dispatch.notice.kind is NoticeKind.BREACH for dispatch in part)
    first = part[0].notice
    return Notice(
        key=part[0].digest or first.key,
        kind=NoticeKind.DIGEST,
        account=first.account,
        raised_at=min(dispatch.notice.raised_at for dispatch in part),
        due_at=first.due_at,
        facts=(("breaches", breaches), ("warnings", len(part) - breaches)),
    )


async def _sent(outbox: _Outbox, notice: Notice, part: Sequence[Dispatch]) -> None:
    now = outbox.this.clock()
    async with transaction(outbox.this.pool) as db:
        too_late = await dispatches.done(db, outbox.name, _ids(part), now)
        await notices.correct(
            db, [_correction(d.notice, now) for d in part if d.notice.id in too_late]
        )
    _counted(outbox, notice, "delivered")
    delay = (now - notice.raised_at).total_seconds()
    outbox.this.metrics.notification_delay.labels(outbox.name).observe(max(0.0, delay))


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
    async with transaction(outbox.this.pool) as db:
        if not given_up:
            wait = delay(attempts, fault.retry_after, random.random())  # noqa: S311  # spreads retries, guards nothing
            await dispatches.retry(db, outbox.name, _ids(part), wait, str(fault))
            return
        reason = "refused" if fault.permanent else "given_up"
        parked = await dispatches.park(db, outbox.name, _ids(part), reason, str(fault))
        still = [dispatch for dispatch in part if dispatch.notice.id in parked]
        await _tell_parked(db, outbox.this.rules, outbox.name, still, reason, outbox.this.clock())
    log.warning("dispatch parked", notifier=outbox.name, kind=notice.kind.value, error=str(fault))


def delay(attempts: int, asked: float | None, chance: float) -> timedelta:
    """How long to wait after so many attempts: doubling, spread by a quarter, at least as asked.

    *asked* are the receiver's own seconds; *chance* (0..1) spreads what failed together.
    """
    doubled = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts - 1, 20))
    seconds = doubled * (0.75 + chance / 2)
    return timedelta(seconds=max(seconds, min(asked or 0.0, LONGEST_ASKED)))


async def _tell_parked(
    db: Db, rules: Rules, notifier: str, part: Sequence[Dispatch], reason: str, now: datetime
) -> None:
    """Tell the fallback, by other ways if it has any; nothing is told of a parked notice."""
    if not part or part[0].notice.kind is NoticeKind.PARKED:
        return
    fallback = rules.routing.fallback(NoticeKind.PARKED)
    others = tuple(name for name in fallback if name != notifier)
    notice = _parked(part, notifier, reason, now)
    await notices.raise_to(db, [notice], others or fallback)


def _parked(part: Sequence[Dispatch], notifier: str, reason: str, now: datetime) -> Notice:
    first = part[0].notice
    kind = NoticeKind.DIGEST if part[0].digest is not None else first.kind
    return Notice(
        key=keys.parked(min(_ids(part)), notifier),
        kind=NoticeKind.PARKED,
        account=first.account,
        raised_at=now,
        thread=first.thread,
        due_at=first.due_at,
        facts=(("kind", kind.value), ("notifier", notifier), ("reason", reason)),
    )


def _counted(outbox: _Outbox, notice: Notice, outcome: str) -> None:
    level = labels.level(notice.kind)
    outbox.this.metrics.notifications.labels(outbox.name, level, outcome).inc()


def _ids(part: Iterable[Dispatch]) -> list[int]:
    return [dispatch.notice.id for dispatch in part if dispatch.notice.id is not None]
