"""Send what is to be told: the last look, the attempt, and what becomes of it.

At least once: a notice that left and was not written down as sent leaves again, under the same id.
While the process lives it remembers what left, and writes it down when the database is back.
They leave one after the other, each written down before the next, so that a process that dies in
between has one in doubt and not a batch; only a slow receiver is sent several at once.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from core import muting, quiet
from core.outbox import keeping, leaving, looking, naming, pacing
from core.outbox.batch import Outbox, Unsettled
from core.reading.walk import Round
from core.stopwatch import running_from
from core.store import digests, dispatches, transaction
from core.together import gathered, in_turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.metrics import Metrics
    from core.model import Dispatch
    from core.notifier import Notifier
    from core.outbox.batch import Takes
    from core.outbox.pacing import Room
    from core.reading.walk import Reader
    from core.rules import Rules
    from core.store import Db, Pool

AT_ONCE = 16
"""How many leave in a round: all that is claimed."""

PATIENCE = 0.2
"""Seconds after which the next leaves though the receiver has not answered yet."""

SHORTLY = 0.1
"""Seconds until the next look where another process just decides what leaves."""


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
    takes: Takes | None = None,
) -> datetime | None:
    """Send what is due to *notifiers*, each by itself; *readers*, by account, take the last look.

    *unsettled*, by notifier, is what the caller keeps for the next round. *takes* signs the links
    by which a reader takes what a notice tells of. A round is as slow as its slowest notifier: give
    each a loop of its own, ``{name: notifier}``.

    Returns:
        When to look again: at once while there is more; None while nothing waits.
    """
    this = Round(pool, rules, metrics, running_from(now), sure)
    kept = unsettled or {}
    waits = await gathered(
        _round(Outbox(this, each, readers, kept.get(name) or Unsettled(), takes))
        for name, each in notifiers.items()
    )
    seconds = min((each for each in waits if each is not None), default=None)
    if seconds is None:
        return None
    return this.clock() + timedelta(seconds=seconds) if seconds > 0 else now


async def _round(outbox: Outbox) -> float | None:
    """Send one batch and one digest; the seconds until there is more, None while nothing waits."""
    await _settle(outbox)
    async with transaction(outbox.this.pool) as db:
        muted = await muting.hold_due(db, outbox.name, outbox.this.rules.routing)
        decides = await digests.lock(db, outbox.name)
        began = monotonic()
        claimed, together, room = await _claim(db, outbox, decides=decides)
        # A commit may fail, and count all the same.
        outbox.unsettled.claimed = [*claimed, *together]
    if muted:
        await _mute(outbox)
    if quiet.may_hold(outbox.unsettled.claimed):
        await _quiet(outbox)
    await looking.look(outbox, began)
    outbox.unsettled.claimed = await looking.standing(outbox)
    parts = _parts(outbox.unsettled.claimed)
    if room is not None:
        unused = pacing.messages(_parts([*claimed, *together])) - pacing.messages(parts)
        await pacing.give_back(outbox, room.pace, unused)
    await in_turn((leaving.attempt(outbox, part, began) for part in parts), PATIENCE)
    await keeping.keep(outbox)
    if len(claimed) >= AT_ONCE or together or outbox.unsettled.claimed:
        return 0.0
    async with transaction(outbox.this.pool) as db:
        seconds = await _waits(db, outbox)
    return seconds if decides or seconds is None else max(seconds, SHORTLY)


async def _claim(
    db: Db, outbox: Outbox, *, decides: bool
) -> tuple[list[Dispatch], list[Dispatch], Room | None]:
    """What leaves now by itself, what as a digest, and the room that there was, if any is."""
    pace = pacing.of(outbox.notifier)
    if pace is None:
        alone = await _alone(db, outbox, decides=decides)
        claimed = await dispatches.claim(db, outbox.name, AT_ONCE, alone)
        return claimed, await _together(db, outbox) if decides else [], None
    if not decides:
        return [], [], None
    room = await pacing.room(db, outbox.name, pace)
    alone = await pacing.alone(db, outbox.name, await _allowed(db, outbox), room)
    most = min(AT_ONCE, room.messages)
    claimed = await dispatches.claim(db, outbox.name, most, alone, ends=False)
    together = await _together(db, outbox) if room.messages > len(claimed) else []
    await pacing.spend(db, outbox.name, pace, len(claimed) + bool(together))
    ends = await dispatches.claim(db, outbox.name, AT_ONCE, alone, ends=True)
    return [*ends, *claimed], together, room


async def _settle(outbox: Outbox) -> None:
    """Write down what left in a round before and could not be; let go of what was not tried."""
    for sent in list(outbox.unsettled.sent):
        await leaving.write_down(outbox, sent)
    if outbox.unsettled.claimed:
        async with transaction(outbox.this.pool) as db:
            await dispatches.put_back(db, outbox.name, outbox.unsettled.claimed)
        outbox.unsettled.claimed = []


async def _mute(outbox: Outbox) -> None:
    """Hold back what of the claimed is muted: it may have been raised since that was looked for."""
    claimed, routing = outbox.unsettled.claimed, outbox.this.rules.routing
    async with transaction(outbox.this.pool) as db:
        left = await muting.hold_claimed(db, outbox.name, routing, claimed)
    outbox.unsettled.claimed = left


async def _quiet(outbox: Outbox) -> None:
    """Postpone what of the claimed nobody is to be told at this hour."""
    claimed, now = outbox.unsettled.claimed, outbox.this.clock()
    async with transaction(outbox.this.pool) as db:
        left = await quiet.hold_claimed(db, outbox.this.rules.routing, claimed, now)
    outbox.unsettled.claimed = left


async def _alone(db: Db, outbox: Outbox, *, decides: bool) -> list[int] | None:
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


async def _allowed(db: Db, outbox: Outbox) -> int | None:
    """How many of what may come as a flood leave by themselves now; None: all."""
    after = outbox.notifier.digest_after
    if not after:
        return None
    await digests.set_apart(db, outbox.name)
    due = await digests.outflow(db, outbox.name, after, outbox.this.clock())
    return len(due.first(after))


async def _together(db: Db, outbox: Outbox) -> list[Dispatch]:
    """What leaves as a digest, if one is due."""
    await dispatches.release(db, outbox.name)
    return await digests.claim(db, outbox.name, outbox.this.clock(), partial(naming.beyond, outbox))


async def _waits(db: Db, outbox: Outbox) -> float | None:
    """Seconds until something is due again, alone or together; None where nothing waits."""
    alone = await dispatches.waits(db, outbox.name)
    ripe = await digests.ripening(db, outbox.name, outbox.this.clock())
    waits = [each for each in (alone, ripe.seconds if ripe else None) if each is not None]
    if not waits:
        return None
    pace = pacing.of(outbox.notifier)
    room = 0.0 if pace is None else (await pacing.room(db, outbox.name, pace)).wait
    return max(room, min(waits))


def _parts(standing: Sequence[Dispatch]) -> list[list[Dispatch]]:
    """What leaves by itself, each for itself, and then what leaves together."""
    parts = [[dispatch] for dispatch in standing if dispatch.digest is None]
    together = [dispatch for dispatch in standing if dispatch.digest is not None]
    return [*parts, together] if together else parts
