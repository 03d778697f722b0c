"""Makes stored clocks agree with computed ones. Pure: `core.store.clocks.put` acts on the answer.

Identity, ends and the watcher's memory follow clock.md: section 3 says which row is which clock,
section 7 what of the memory may change (a deadline that moved, a refusal, a correction, a breach
first seen together with its reply). No row is ever removed.

The seam. `put` reads the rows of all the threads that are recomputed together (locked), calls
`agree` once an account, writes `Changes` in batches, and does nothing else: what is not in
`Changes` does not happen. So it can be tried on a million threads without a database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.model import ClockRow, Notice
    from sla.clock import Clock
    from sla.turn import Turn


@dataclass(frozen=True, slots=True)
class Computed:
    """What one thread comes to now: its turns as stored, and the clocks computed from them."""

    turns: Sequence[Turn]
    clocks: Sequence[Clock]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line in the history of the clock with this id: *before* and *after* are JSON values."""

    clock: int
    what: str
    before: Mapping[str, object]
    after: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Changes:
    """All that is to be written, in one transaction.

    *new* have no id yet, so nothing is entered or told about them; *changed* are the rows as they
    are to be, whole. *drop* maps a clock to the word of `core.labels.SUPPRESSED` with which its
    unsent warnings and breaches are kept back. *notices* go by the routes, *corrections* to those
    who were told the breach. *counts* are added to the tally, by (metric, result): a result is one
    of `core.labels.RESULTS`.
    """

    new: Sequence[ClockRow] = ()
    changed: Sequence[ClockRow] = ()
    entries: Sequence[Entry] = ()
    drop: Mapping[int, str] = field(default_factory=dict)
    notices: Sequence[Notice] = ()
    corrections: Sequence[Notice] = ()
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)


def agree(
    account: str,
    rows: Sequence[ClockRow],
    computed: Mapping[str, Computed],
    now: datetime,
    *,
    monitored_since: datetime,
    sure: bool = True,
) -> Changes:
    """What is to be written so that *rows* are the clocks in *computed*, which is by thread.

    *rows* are all stored clocks of these threads, ended ones included. *monitored_since* divides
    history from what is watched. Without *sure* (the host's clock is not believed) no breach is
    counted.
    """
    raise NotImplementedError
