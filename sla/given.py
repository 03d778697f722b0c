"""Given deadlines: the marketplace itself says until when, one clock for each thing it asks.

The readings of one (kind, act) are a history; the newest by (`as_of`, `read_at`) stands. What we do
ends the clock until the next reading; what the marketplace reads out ends it for good.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from sla.policy import Party
from sla.turn import REST, Kind, Level, covers, is_delivered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sla.turn import Given, Moment, Turn
    from sla.waitings import Ended

DUE_UNCERTAIN = "due_uncertain"
FOLLOW_UP = "follow_up"
"""The kind of a deadline that an agent promised to a buyer."""


class Stop(NamedTuple):
    """What may end a given deadline; *ended* None leaves it to the deadline: met or late."""

    at: datetime
    by: str | None
    ended: Ended | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """What the readings of one (kind, act) amount to."""

    kind: str
    act: str
    started_at: datetime
    due_at: datetime
    flags: frozenset[str]
    stop: Stop | None = None

    @property
    def promise(self) -> str:
        """Its name among the promises."""
        return f"given:{self.kind}:{self.act}"

    def asks_at(self, at: datetime | None) -> bool:
        """Whether the marketplace was asking then; None is the present."""
        if at is None:
            return self.stop is None
        return self.started_at <= at and (self.stop is None or at <= self.stop.at)


def split(given: Iterable[Given]) -> tuple[dict[tuple[str, str], list[Given]], list[Given]]:
    """The readings of given deadlines by (kind, act), and those of given starts.

    Those of the act `REST` belong to every other act of their kind that is not asked beside them.
    """
    groups: dict[tuple[str, str], list[Given]] = {}
    for reading in given:
        groups.setdefault((reading.kind, reading.act), []).append(reading)
    for kind, rest in [(key[0], groups.pop(key)) for key in list(groups) if key[1] == REST]:
        for (other, act), group in groups.items():
            if other == kind:
                beside = {(reading.as_of, reading.read_at) for reading in group if reading.asks}
                group += [replace(r, act=act) for r in rest if (r.as_of, r.read_at) not in beside]
    deadlines = {key: g for key, g in groups.items() if any(r.due_at for r in g)}
    starts = [r for key, g in groups.items() if key not in deadlines for r in g]
    return deadlines, starts


def deadline(readings: Sequence[Given], moments: Sequence[Moment]) -> Deadline | None:
    """What the readings of one (kind, act) amount to; None where none of them ever asked."""
    ordered = sorted(readings, key=age)
    asked, closed = _last_run(ordered)
    dated = next((r for r in [*reversed(asked), *reversed(ordered)] if r.due_at), None)
    if not asked or dated is None or dated.due_at is None:
        return None
    requested = next((r.starts_at for r in reversed(asked) if r.starts_at), None)
    flags = {
        "start_uncertain": requested is None,
        DUE_UNCERTAIN: dated.uncertain,
        "unseen_in_time": asked[0].read_at > dated.due_at,
    }
    found = Deadline(
        asked[-1].kind,
        asked[-1].act,
        requested or asked[0].as_of,
        dated.due_at,
        frozenset(name for name, holds in flags.items() if holds),
    )
    return replace(found, stop=_stop(found, asked[-1], closed, moments))


def age(reading: Given) -> tuple[datetime, datetime, bool, str]:
    """Its place among readings; of two of the same instants the one that asks stands."""
    return reading.as_of, reading.read_at, reading.asks, repr(reading)


def _last_run(ordered: Sequence[Given]) -> tuple[list[Given], list[Given]]:
    """The newest readings that asked one after the other, and those since, which do not ask."""
    end = next((i for i in range(len(ordered), 0, -1) if ordered[i - 1].asks), 0)
    begin = next((i for i in range(end, 0, -1) if not ordered[i - 1].asks), 0)
    return list(ordered[begin:end]), list(ordered[end:])


def _stop(
    found: Deadline, asked: Given, closed: Sequence[Given], moments: Sequence[Moment]
) -> Stop | None:
    """What ended it: the seller's act or a reading, a mark or the end of the conversation.

    At the same instant the first two: they say why.
    """
    turns = [(at, turn) for at, _, _, turn in moments if at > found.started_at]
    acts = [(at, turn) for at, turn in turns if _is_act(turn, asked)]
    since = [Stop(at, turn.id) for at, turn in acts if _known(at, turn) >= asked.as_of]
    earlier = [Stop(at, turn.id) for at, turn in acts if _known(at, turn) < asked.as_of]
    stops = since[:1]
    if closed:
        stops = [_closing(found, closed, [*since[:1], *earlier[-1:]])]
    stops += [stop for at, turn in turns if (stop := _ending(found, asked, at, turn))]
    return min(stops, key=lambda stop: stop.at, default=None)


def _is_act(turn: Turn, asked: Given) -> bool:
    """Whether *turn* does what is asked; a plain message only where a message is asked for."""
    if turn.party is not Party.SELLER or not is_delivered(turn) or turn.id in asked.copies:
        return False
    if turn.kind is Kind.ANSWERED_ELSEWHERE:
        return True
    return asked.by_message and turn.kind is Kind.MESSAGE and Party.BUYER in turn.to


def _known(at: datetime, turn: Turn) -> datetime:
    """When *turn* was known: an agent who says "I answered there, then" has seen the readings."""
    return turn.seen_at if turn.kind is Kind.ANSWERED_ELSEWHERE else at


def _ending(found: Deadline, asked: Given, at: datetime, turn: Turn) -> Stop | None:
    """The end of the conversation, the buyer's erasure, or a mark where a message is asked for."""
    if turn.kind is Kind.ERASED:
        return Stop(at, turn.id, "void", turn.kind)
    if turn.kind is Kind.UNANSWERABLE and at >= asked.as_of:
        return Stop(at, turn.id, "void" if at <= found.due_at else "late", turn.kind)
    marked = turn.kind is Kind.NO_REPLY_NEEDED and turn.level in (Level.MARKED, Level.CONFIRMED)
    by_message = asked.by_message and found.kind != FOLLOW_UP
    if marked and by_message and covers(turn, at, asked.as_of, asked.read_at):
        return Stop(at, turn.id, "void", turn.level)
    return None


def _closing(found: Deadline, closed: Sequence[Given], acts: Sequence[Stop]) -> Stop:
    """The end that the first reading gives which no longer asks: at the seller's act, if any.

    What ends unanswered at its very deadline has lapsed, whatever it is called: `late`.
    """
    at = closed[0].as_of
    told = [r.acted_at for r in closed if r.acted_at and (r is closed[0] or r.acted_at <= at)]
    if told and told[0] >= found.started_at:
        return Stop(told[0], None)
    own = next((act for act in acts if act.at <= at), None)
    if own:
        return own
    outcome = next((r.outcome for r in closed if r.outcome), None)
    if outcome is None:
        return Stop(at, None)
    return Stop(at, None, "void" if at < found.due_at else "late", outcome)
