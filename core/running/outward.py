"""The outward heartbeat: a service outside is asked each minute, while all turns and no longer.

For whoever has no Prometheus: the service calls somebody when the question does not come any more.
So it comes only where what the two promises need was seen to work since the last one: a loop that
reads, the watcher, and every loop that delivers has ended a round without fault, the database
answers and can store, and the host's clock is believed. That no poll is due, or nothing is to be
told, is no fault: the loop has turned. A mute changes nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from core.errors import ConnectorError
from core.measuring.outward import FAILED, SENT, WITHHELD
from core.transport.http import Http, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from core.configuration.outward import Heartbeat
    from core.running.state import State

LIMITS = Limits(attempts=1, connect=5.0, total=10.0, body=65_536)
"""One try: the next one comes in a minute."""
TURNS = 60.0
"""Seconds in which each of the loops turns, where it is well, several times."""
EARLY = 1.0
"""By so many seconds a look may come before its time: it is the next one all the same."""
SOON = timedelta(seconds=5)
"""Until it is looked again whether all has turned, at the start."""

log = structlog.get_logger()


@dataclass(slots=True)
class Place:
    """What is remembered from one look to the next.

    *ended* says of each loop when its last round ended, and when that was seen to have changed, in
    monotonic seconds; None: it was not seen yet. *last* is when it was decided last. *said* is
    what was last told of it, for the log.
    """

    ended: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    began: float | None = None
    last: float | None = None
    said: str = ""


async def once(
    state: State, place: Place, now: datetime, clock: Callable[[], float] = monotonic
) -> datetime | None:
    """Say that all turns, if it does; *clock* is one that nobody sets.

    Returns:
        When to say it again; None where nobody is to hear it.
    """
    to = state.settings.heartbeat
    if to is None:
        place.ended, place.began, place.last = {}, None, None
        return None
    at, every = clock(), to.every.total_seconds()
    wait = 0.0 if place.last is None else place.last + every - at
    if wait > min(EARLY, every / 2):
        return now + timedelta(seconds=wait)
    limit = max(TURNS, every)
    place.began = at if place.began is None else place.began
    stuck = still(place, _needed(state), state.pulse.ended, at, limit)
    if stuck and at - place.began < TURNS:
        return now + min(SOON, to.every)
    faults = [f"loop {name} does not turn" for name in stuck] or await _faults(state)
    outcome, why = (WITHHELD, "; ".join(faults)) if faults else await _send(state, to)
    state.metrics.outward.came_to(outcome, now)
    _say(place, outcome, why)
    place.last = at
    return now + to.every


def still(
    place: Place, needed: Iterable[str], ended: Mapping[str, float], at: float, limit: float
) -> list[str]:
    """Those of the *needed* loops of which, *at* this look, no round has ended for *limit* seconds.

    Only that a round has *ended* since is asked, never when: the host's clock may have jumped.
    """
    before, place.ended = place.ended, {}
    for name in needed:
        last = ended.get(name, 0.0)
        known, seen = before.get(name, (last, None))
        place.ended[name] = (last, seen if last == known else at)
    return [
        name for name, (_, seen) in place.ended.items() if seen is None or at - seen > limit - EARLY
    ]


def _needed(state: State) -> list[str]:
    """The loops without which nothing is promised."""
    return ["poll", "watch", *(f"deliver {name}" for name in state.notifiers)]


async def _faults(state: State) -> list[str]:
    """Why nothing is said though all loops turn, one line each."""
    if not state.is_sure():
        return ["the host's clock is not believed"]
    return await state.watched.faults()


async def _send(state: State, to: Heartbeat) -> tuple[str, str]:
    """Ask the service; what it came to, and why it was not heard."""
    if state.session is None:
        return WITHHELD, "nothing is open yet"
    try:
        http = Http(state.session, limits=LIMITS)
        await http.get(to.url.get_secret_value(), operation="heartbeat")
    except ConnectorError as fault:
        return FAILED, f"{fault.reason}: {fault}"
    return SENT, ""


def _say(place: Place, outcome: str, why: str) -> None:
    """Log a change, not every minute."""
    said = f"{outcome} {why}" if why else ""
    if said == place.said:
        return
    place.said = said
    if outcome == SENT:
        log.info("heartbeat heard again")
    elif outcome == FAILED:
        log.warning("heartbeat not heard", error=why)
    else:
        log.warning("heartbeat withheld", reason=why)
