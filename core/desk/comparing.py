"""The marketplace's own numbers beside ours, and what in our rows may explain the gap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.store import attainment, published
from core.store.attainment import Asked
from sla.contract import Window
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from core.configuration.configured import Configured
    from core.measuring.contracts import Number
    from core.store import Db
    from sla.contract import Reported, Standing

CAUSES = {
    "unseen_message": "first seen by us after the deadline",
    "reply_not_accepted": "answered by a reply that was refused there, or is not confirmed yet",
    "automatic_reply": "with an automatic reply before the answer, which may count there",
    "other_start": "whose start is uncertain, or dated otherwise there",
    "window_edge": "in one of the two windows only",
    "no_reply_needed": "marked as needing no reply, which may count there",
}
"""What may explain a gap, in the order in which it is told: of so many clocks."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number of the marketplace beside ours *then*, over the same window where it tells one.

    *ours* and *gap* (theirs less ours) are shares, or seconds of a mean; None where nothing of ours
    counts. *causes* say of how many clocks it may be known otherwise there.
    """

    theirs: Reported
    then: Standing
    causes: Mapping[str, int] = field(default_factory=dict)

    @property
    def ours(self) -> float | None:
        """Our own number of the same kind."""
        if self.theirs.measure == "mean":
            return self.then.mean.total_seconds() if self.then.mean is not None else None
        return float(self.then.attainment) if self.then.attainment is not None else None

    @property
    def counted(self) -> int:
        """Of how many clocks ours is."""
        counts = self.then.counts
        return counts.replied if self.theirs.measure == "mean" else counts.met + counts.missed

    @property
    def gap(self) -> float | None:
        """Theirs less ours."""
        return None if self.ours is None else self.theirs.value - self.ours


Places = dict[int, Comparison]


async def compare(
    db: Db,
    accounts: Iterable[Configured],
    numbers: Sequence[Number],
    standings: Sequence[Standing],
    at: datetime,
) -> Places:
    """What the marketplaces tell, by the place of the number in *numbers* that it belongs to."""
    told = await _reported(db, accounts, at)
    found: Places = {}
    for place, (number, standing) in enumerate(zip(numbers, standings, strict=True)):
        theirs = _fitting(number, told.get(number.account, ()))
        if theirs is not None:
            found[place] = await _beside(db, number, standing, theirs, at)
    return found


async def _reported(
    db: Db, accounts: Iterable[Configured], at: datetime
) -> dict[str, tuple[Reported, ...]]:
    """By account, what its marketplace told until *at* that may be laid beside ours."""
    by_account: dict[str, dict[str, tuple[datetime, float]]] = {}
    for (account, name), number in (await published.latest(db, at)).items():
        by_account.setdefault(account, {})[name] = number
    return {
        found.account.name: tuple(found.spec.reported(by_account[found.account.name]))
        for found in accounts
        if found.spec.reported is not None and found.account.name in by_account
    }


def _fitting(number: Number, told: Iterable[Reported]) -> Reported | None:
    """The newest that belongs to *number*: a contract's about messages, of its kind and window."""
    policy, contract = number.policy, number.contract
    if policy.role != "contract" or ThreadKind.MESSAGE not in policy.applies_to:
        return None
    fits = [
        one
        for one in told
        if contract.measure in {one.measure, "info"} and one.length in {None, number.length}
    ]
    return max(fits, key=lambda one: (one.measure == "share", one.as_of), default=None)


async def _beside(
    db: Db, number: Number, standing: Standing, theirs: Reported, at: datetime
) -> Comparison:
    """*theirs* beside ours over the window that it tells, as far as that is known."""
    until = at if theirs.length is None else min(theirs.as_of, at)
    [then] = await attainment.standings(db, [number], until, [number.account])
    found = await attainment.causes(db, number.account, number.policy.name, then.window, until)
    if theirs.length is not None:
        found["window_edge"] = await _at_the_edge(db, number, standing, then, at)
    return Comparison(theirs, then, {cause: found.get(cause, 0) for cause in CAUSES})


async def _at_the_edge(db: Db, number: Number, now: Standing, then: Standing, at: datetime) -> int:
    """How many clocks count in one of two windows only."""
    edges = [
        Window(then.window.begins, min(now.window.begins, then.window.ends)),
        Window(max(then.window.ends, now.window.begins), now.window.ends),
    ]
    asked = [Asked(number.policy, number.contract, edge) for edge in edges]
    found = await attainment.counts(db, asked, at, [number.account])
    return sum(one.met + one.missed for one in found.values())
