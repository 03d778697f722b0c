"""Why each deadline of a thread is what it is, and what became of it: for page, API and command."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.rules import with_mark
from core.store import clocks, messages, policies, unread
from sla import explain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.agree import Entry
    from core.model import ClockRow
    from core.store import Db
    from sla.clock import Given
    from sla.explain import Line
    from sla.policy import Policy
    from sla.turn import Turn

Version = tuple[str, int]

CHANGED: Mapping[str, str] = MappingProxyType(
    {
        "thread": "moved to thread",
        "metric": "counts as",
        "started_by": "started by message",
        "started_at": "starts at",
        "policy_version": "version of the promise",
        "due_at": "due at",
        "ended": "ended",
        "reason": "because",
        "stopped_at": "ended at",
        "stopped_by": "ended by",
        "breached_at": "counted as a breach of the deadline",
        "corrected_at": "taken back at",
        "correction": "because",
        "since": "the marketplace dates it",
    }
)
"""What of a clock can change, as it is said; a word that stands twice is of two columns."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in a clock at once: by column what it was before and what it is since.

    Instants are in ISO 8601, as entries keep them. *what* is the entry's own word.
    """

    at: datetime
    what: str
    changes: Mapping[str, tuple[object, object]]


@dataclass(frozen=True, slots=True)
class Explained:
    """A clock, the sentences that say why it is due when it is, and its history, oldest first."""

    row: ClockRow
    why: tuple[Line, ...]
    history: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """What all clocks of a thread are explained by."""

    turns: Sequence[Turn]
    given: Sequence[Given]
    versions: Mapping[Version, Policy]
    now: datetime
    own_mark: bool


async def of(
    db: Db, rows: Sequence[ClockRow], now: datetime, *, own_mark: bool
) -> tuple[Explained, ...]:
    """*rows*, clocks of one thread, explained as seen at *now*; a few statements for all.

    *own_mark* is `Capabilities.own_mark` of the account.
    """
    if not rows:
        return ()
    account, thread = rows[0].account, rows[0].thread
    turns = (await messages.turns(db, account, [thread]))[thread]
    given = (await unread.given(db, account, [thread], {thread: turns})).get(thread, ())
    entries = await clocks.entries(db, [row.id for row in rows if row.id is not None])
    case = _Case(turns, given, await _versions(db, rows), now, own_mark)
    return tuple(
        Explained(
            row, _why(row, case), tuple(_change(*one) for one in entries.get(row.id or 0, ()))
        )
        for row in rows
    )


async def _versions(db: Db, rows: Sequence[ClockRow]) -> dict[Version, Policy]:
    """The promises of *rows* as they were in force."""
    wanted = {(row.clock.promise, row.clock.policy_version) for row in rows}
    found = {
        (name, number): await policies.version(db, name, number)
        for name, number in wanted
        if number is not None
    }
    return {version: policy for version, policy in found.items() if policy is not None}


def _why(row: ClockRow, case: _Case) -> tuple[Line, ...]:
    policy = case.versions.get((row.clock.promise, row.clock.policy_version or 0))
    versions = with_mark([policy] if policy else [], own_mark=case.own_mark)
    return explain.explain(row.clock, case.turns, versions, case.given, now=case.now)


def _change(at: datetime, entry: Entry) -> Change:
    pairs = {name: (entry.before.get(name), value) for name, value in entry.after.items()}
    changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return Change(at, entry.what, changes)
