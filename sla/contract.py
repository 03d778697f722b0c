"""What a marketplace judges by: how a promise was kept in a window, as its contract counts. Pure.

A clock belongs to the window in which its `started_at` lies. Of a *share* those count that were
answered and those that are past due; void, history and superseded ones, and those that run and are
not due, stay outside. Of a *mean* those count that ended by a reply. All durations of a contract
are time on the calendar of its policy, as `reply_within` is: round the clock they are real time.
Shares are fractions: 0.90 of ten is exactly nine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Literal, NamedTuple

from sla import steps
from sla.calendar import Calendar
from sla.policy import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sla.policy import Policy
    from sla.waitings import Ended

Verdict = Literal["kept", "alert", "broken", "uncounted", "unjudged"]

_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)
_NOTHING = timedelta(0)

OWN_WINDOWS = (timedelta(days=7), timedelta(days=30))
"""The windows in which a promise is shown that nobody is judged by: a goal, most often."""


class Window(NamedTuple):
    """From *begins*, inclusive, to *ends*, exclusive: instants in UTC."""

    begins: datetime
    ends: datetime

    def holds(self, at: datetime) -> bool:
        """Whether *at* lies in it."""
        return self.begins <= at < self.ends


class Judged(NamedTuple):
    """What is asked of a clock; *is_replied*: a seller's turn ended it, in time or late."""

    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    ended: Ended | None
    is_replied: bool
    history: bool = False
    superseded: bool = False


class Counts(NamedTuple):
    """The clocks of a window: answered in time, missed, running and not due.

    *reply_time* is the time that the *replied* ones took, all together; *oldest_missed* is the
    `started_at` of the first that was missed.
    """

    met: int = 0
    missed: int = 0
    running: int = 0
    replied: int = 0
    reply_time: timedelta = _NOTHING
    oldest_missed: datetime | None = None

    def plus(self, other: Counts) -> Counts:
        """Those of both."""
        oldest = [at for at in (self.oldest_missed, other.oldest_missed) if at is not None]
        return Counts(
            self.met + other.met,
            self.missed + other.missed,
            self.running + other.running,
            self.replied + other.replied,
            self.reply_time + other.reply_time,
            min(oldest, default=None),
        )


class Reported(NamedTuple):
    """A marketplace's own number of the kind that a contract asks for, as it was told last.

    *value* is a share (0..1), or of a mean its seconds; *length* is the window that ended at
    *as_of*, None where it does not say; *counted* is of how many messages, None: it does not say.
    """

    measure: Literal["share", "mean"]
    value: float
    as_of: datetime
    length: timedelta | None = None
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a contract stands in one window.

    *attainment* is the share in time, *mean* the mean time to a reply; None where nothing counts.
    *budget* is how many more may be missed before the objective breaks, given what is counted;
    negative: so many of the missed are too many. *needed* is how many in time in a row, with none
    missed between, mend it; None where nothing is broken, or nothing but time mends it.
    *next_within* is how long the next reply may take without a mean going over its limit; None
    where there is no limit, or even one at once would not do. *eases_at* is the instant after which
    the oldest miss is outside the window.
    """

    contract: Contract
    window: Window
    counts: Counts
    verdict: Verdict
    attainment: Fraction | None = None
    mean: timedelta | None = None
    budget: int | None = None
    needed: int | None = None
    next_within: timedelta | None = None
    eases_at: datetime | None = None

    @property
    def counted(self) -> int:
        """How many clocks the number is made of."""
        found = self.counts
        return found.replied if self.contract.measure == "mean" else found.met + found.missed


def of(policy: Policy) -> tuple[Contract, ...]:
    """The numbers that *policy* is judged by; where there are none, its share in time is shown."""
    return policy.judged_by or (Contract("info", OWN_WINDOWS, policy.calendar.zone),)


def objective(contract: Contract) -> Fraction | None:
    """The share that a contract by *share* asks for, exactly as it is written."""
    if contract.measure != "share" or not contract.objective:
        return None
    return Fraction(repr(contract.objective))


def window(contract: Contract, length: timedelta, at: datetime) -> Window:
    """The window of this *length* that ends at *at*, `at` excluded.

    Whole days are days of the contract's zone: the day that *at* lies in, or that it ends, is the
    last of them, as far as it has come. All windows roll; other lengths roll by the instant.
    """
    days = _whole_days(length)
    if not days:
        return Window(at - length, at)
    return Window(_midnight(contract, at - _MOMENT, 1 - days), at)


def leaves_at(contract: Contract, length: timedelta, started_at: datetime) -> datetime:
    """The last instant at which a window of this *length* still holds what started then."""
    days = _whole_days(length)
    if not days:
        return started_at + length
    return _midnight(contract, started_at, days)


def within(policy: Policy, contract: Contract) -> timedelta | None:
    """The time that *contract* allows, where it is another than *policy* promises; else None.

    None leaves it to each clock's own `due_at`, by the version of the promise that it began under.
    """
    own = {policy.reply_within, policy.next_reply_within or policy.reply_within}
    return None if contract.within is None or own == {contract.within} else contract.within


def is_timed(policy: Policy, contract: Contract) -> bool:
    """Whether replies are timed: of a share only round the clock, where it costs nothing."""
    return contract.measure != "share" or is_round_the_clock(policy)


def is_round_the_clock(policy: Policy) -> bool:
    """Whether time on the calendar of *policy* is real time."""
    return policy.calendar == Calendar.always(policy.calendar.zone)


def count(
    clocks: Iterable[Judged], policy: Policy, contract: Contract, of: Window, at: datetime
) -> Counts:
    """What *clocks* of *policy* come to in the window *of*, as they are at *at*."""
    allowed, timed = within(policy, contract), is_timed(policy, contract)
    met = missed = running = replied = 0
    reply_time, oldest = _NOTHING, None
    for clock in clocks:
        if clock.history or clock.superseded or not of.holds(clock.started_at):
            continue
        due_at = clock.due_at if allowed is None else _due(policy, allowed, clock.started_at)
        fate = _fate(clock, due_at, at)
        met += fate == "met"
        running += fate == "running"
        if fate == "missed":
            missed += 1
            oldest = clock.started_at if oldest is None else min(oldest, clock.started_at)
        if timed and clock.is_replied and clock.stopped_at is not None:
            replied += 1
            reply_time += policy.calendar.elapsed(clock.started_at, clock.stopped_at)
    return Counts(met, missed, running, replied, reply_time, oldest)


def standing(contract: Contract, length: timedelta, counts: Counts, of: Window) -> Standing:
    """What *counts* of the window *of*, of this *length*, mean under *contract*."""
    total = counts.met + counts.missed
    asked, limit = objective(contract), _limit(contract)
    oldest = counts.oldest_missed
    return Standing(
        contract,
        of,
        counts,
        _verdict(contract, counts),
        attainment=Fraction(counts.met, total) if total else None,
        mean=counts.reply_time / counts.replied if counts.replied else None,
        budget=None if asked is None else budget(asked, counts.met, total),
        needed=None if asked is None else needed(asked, counts.met, total),
        next_within=None if limit is None else _next_within(limit, counts),
        eases_at=None if oldest is None else leaves_at(contract, length, oldest),
    )


def budget(asked: Fraction, met: int, total: int) -> int:
    """How many more than *total* may be missed with *met* in time; negative: so many too many."""
    if met >= asked * total:
        return floor(met / asked) - total
    return floor((1 - asked) * total) - (total - met)


def needed(asked: Fraction, met: int, total: int) -> int | None:
    """How many in time in a row bring the share to *asked*; None: none are needed, or none help."""
    if met >= asked * total or asked == 1:
        return None
    return ceil((asked * total - met) / (1 - asked))


def _verdict(contract: Contract, counts: Counts) -> Verdict:
    asked, limit = objective(contract), _limit(contract)
    total = counts.met + counts.missed
    if asked is not None:
        return "uncounted" if not total else "kept" if counts.met >= asked * total else "broken"
    if limit is None:
        return "unjudged"
    if not counts.replied:
        return "uncounted"
    if counts.reply_time >= limit * counts.replied:
        return "broken"
    early = contract.alert_from
    alert = early is not None and counts.reply_time >= early * counts.replied
    return "alert" if alert else "kept"


def _limit(contract: Contract) -> timedelta | None:
    return contract.limit if contract.measure == "mean" else None


def _next_within(limit: timedelta, counts: Counts) -> timedelta | None:
    """The mean is to stay *under* the limit: at the limit itself it does not."""
    left = limit * (counts.replied + 1) - counts.reply_time - _MOMENT
    return left if left >= _NOTHING else None


def _fate(
    clock: Judged, due_at: datetime, at: datetime
) -> Literal["met", "missed", "running", "outside"]:
    """What became of a clock that was to be answered by *due_at*.

    One that ended late without a reply was never answered: it is missed however long a contract
    allows.
    """
    if clock.ended is None:
        return "missed" if due_at < at else "running"
    if clock.ended == "void":
        return "outside"
    answered = clock.ended == "met" or clock.is_replied
    in_time = clock.stopped_at is not None and clock.stopped_at <= due_at
    return "met" if answered and in_time else "missed"


def _due(policy: Policy, allowed: timedelta, started_at: datetime) -> datetime:
    return steps.deadline(policy, allowed, started_at)[0]


def _whole_days(length: timedelta) -> int:
    """How many whole days *length* is; 0 where it is none."""
    days, rest = divmod(length, _DAY)
    return 0 if rest else days


def _midnight(contract: Contract, at: datetime, days: int) -> datetime:
    """The begin, in the contract's zone, of the day so many *days* from that of *at*."""
    calendar = Calendar.always(contract.zone)
    return calendar.bounds(calendar.local(at).date() + _DAY * days)[0]
