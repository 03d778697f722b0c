"""How promises were kept, as each contract counts, and what is worst: for command and API alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.desk import comparing
from core.store import attainment
from core.store.attainment import Chosen
from sla.contract import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.configuration.configured import Configured
    from core.desk.comparing import Comparison
    from core.measuring.contracts import Number
    from core.model import Account
    from core.store import Db
    from core.store.attainment import Late, Unconfirmed
    from sla.contract import Standing


@dataclass(frozen=True, slots=True)
class Line:
    """A number as it stands, with the marketplace's own beside it where there is one."""

    number: Number
    standing: Standing
    beside: Comparison | None


@dataclass(frozen=True, slots=True)
class Report:
    """All that is shown, as of *at*; *accounts* by name."""

    at: datetime
    lines: Sequence[Line]
    worst: Sequence[Late]
    unconfirmed: Sequence[Unconfirmed]
    accounts: Mapping[str, Account]


async def report(
    db: Db,
    accounts: Sequence[Configured],
    numbers: Sequence[Number],
    at: datetime,
    *,
    worst: int,
    policy: str | None = None,
) -> Report:
    """How the *numbers* of *accounts* stand, and at most so many of the *worst* threads.

    These are of one *policy*, None: of all.
    """
    names = [one.account.name for one in accounts]
    standings = await attainment.standings(db, numbers, at, names)
    beside = await comparing.compare(db, accounts, numbers, standings, at)
    begins = min((one.window.begins for one in standings), default=at)
    chosen = Chosen(names, Window(begins, at), None if policy is None else [policy])
    return Report(
        at,
        tuple(
            Line(number, standing, beside.get(place))
            for place, (number, standing) in enumerate(zip(numbers, standings, strict=True))
        ),
        tuple(await attainment.worst(db, chosen, worst)),
        tuple(await attainment.unconfirmed(db, chosen)),
        {one.account.name: one.account for one in accounts},
    )
