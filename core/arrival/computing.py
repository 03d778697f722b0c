"""What threads come to: their turns, as they are stored now, and the clocks of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.agree import Computed
from core.store import messages
from core.store.threads import Locked
from sla.clock import Promises, clocks
from sla.policy import Party
from sla.turn import instant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from core.arrival.news import News
    from core.model import Thread
    from core.rules import Rules
    from core.store.messages import StoredTurn
    from sla.clock import Given


def fresh(found: News, now: datetime, others: Collection[str] = ()) -> dict[str, list[StoredTurn]]:
    """The turns of threads that *found* has opened: all that there is of them, so none is read.

    Nothing can have been stored of a thread before its row was. One into which a known message has
    moved, or of which a date is told, and *others* are read as any other.
    """
    turns: dict[str, list[StoredTurn]] = {thread.id: [] for thread in found.opened}
    for _, _, _, message in found.changed.values():
        turns.pop(message.thread, None)
    for thread in (*(thread for thread, _ in found.readings), *others):
        turns.pop(thread, None)
    for _, _, _, message in found.new.values():
        of = turns.get(message.thread)
        if of is not None:
            of.append(messages.turn(message, now))
    return turns


def computed(
    rules: Rules,
    account: str,
    threads: Mapping[str, Locked | Thread],
    turns: Mapping[str, Sequence[StoredTurn]],
    given: Mapping[str, Sequence[Given]],
) -> dict[str, Computed]:
    """The clocks of *threads* (locked, or written just now) by all their turns and readings."""
    kinds = {thread.kind for thread in threads.values()}
    promises = {kind: Promises(rules.promises(account, kind)) for kind in kinds}
    return {
        id_: _of(turns.get(id_, ()), promises[thread.kind], given.get(id_, ()), thread)
        for id_, thread in threads.items()
    }


def _of(
    turns: Sequence[StoredTurn],
    promises: Promises,
    given: Sequence[Given],
    thread: Locked | Thread,
) -> Computed:
    """The clocks of one thread.

    Where the marketplace holds more of it than we do, the waiting with which our part begins may
    have begun earlier: flagged `start_uncertain`.
    """
    found = clocks(turns, promises, given, kind=thread.kind, incomplete=thread.incomplete)
    said = thread.language_set if isinstance(thread, Locked) else None
    return Computed(turns, found, thread.kind.value, said or _language(turns))


def _language(turns: Sequence[StoredTurn]) -> str | None:
    """In which language the buyer wrote last, as far as that is known."""
    known = [turn for turn in turns if turn.language is not None and turn.party is Party.BUYER]
    return max(known, key=_order).language if known else None


def _order(turn: StoredTurn) -> tuple[datetime, str]:
    return instant(turn), turn.id
