"""Wakes the loops of all processes: one notification channel, the payload names a loop.

Or it says that boards are to be shown anew: ``board``, and after a space which threads have
changed, as JSON, or ``*`` where that is too much to say. Or, ``who`` and a name, that somebody may
other things than before, or is signed in no more.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterator, Mapping

    from asyncpg import Connection, Record

    from core.store import Db

CHANNEL = "replyby"
LOOPS = ("poll", "watch", "deliver", "reply", "erase", "worker", "redate", "escalate")

BOARD = "board"
ANY = f"{BOARD} *"
WHO = "who"
MOST = 7_000
"""Bytes that name threads at most: a notification holds 8,000."""

SEND = "select pg_notify('replyby', loop) from unnest($1::text[]) as loop"


async def send(db: Db, *loops: str) -> None:
    """Wake *loops* when the transaction commits; a loop named twice is woken once."""
    await db.execute(SEND, loops)


async def changed(
    db: Db, threads: Mapping[str, Collection[str]] | None = None, *loops: str
) -> None:
    """Have open boards show what is so when the transaction commits, and wake *loops* then.

    Once a transaction will do. *threads* are by account those whose own pages change too; None:
    only what stands in queues.
    """
    await db.execute(SEND, [_written(threads), *loops])


async def somebody(db: Db, name: str) -> None:
    """Have open boards ask, when the transaction commits, what *name* may now."""
    await db.execute(SEND, [f"{WHO} {name}"])


def _written(threads: Mapping[str, Collection[str]] | None) -> str:
    if threads is None:
        return BOARD
    told = json.dumps({account: sorted(ids) for account, ids in threads.items()})
    return f"{BOARD} {told}" if len(told) <= MOST else ANY


def _read(payload: str) -> Change | None:
    """What *payload* says of boards; None where it says something else."""
    word, _, told = payload.partition(" ")
    if word != BOARD:
        return None
    if told in {"", "*"}:
        return Change(None, is_any=bool(told))
    threads: dict[str, Any] = json.loads(told)
    return Change({account: frozenset(ids) for account, ids in threads.items()})


class Change(NamedTuple):
    """What boards are to show anew: lines of *threads* by account, and the pages of these.

    None: lines of whatever account; and with *is_any* the pages of whatever thread.
    """

    threads: Mapping[str, frozenset[str]] | None
    is_any: bool = False

    def is_of(self, accounts: Collection[str] | None) -> bool:
        """Whether it may be about one of *accounts*; None: all."""
        if self.threads is None or accounts is None:
            return True
        return any(account in accounts for account in self.threads)

    def is_about(self, account: str, thread: str) -> bool:
        """Whether the page of this thread is to be shown anew."""
        return self.is_any or (self.threads is not None and thread in self.threads.get(account, ()))


ANYTHING = Change(None, is_any=True)


class Changes:
    """Passes on in this process what boards are to show anew."""

    def __init__(self) -> None:
        self._heard: list[Callable[[Change], None]] = []
        self._asked: list[Callable[[str], None]] = []

    def tell(self, change: Change = ANYTHING) -> None:
        """Pass *change* on; left out: whatever was changed, for it may not have been heard."""
        for heard in self._heard:
            heard(change)

    def tell_of(self, name: str) -> None:
        """Pass on that somebody may other things than before."""
        for asked in self._asked:
            asked(name)

    @contextmanager
    def listening(
        self,
        heard: Callable[[Change], None],
        asked: Callable[[str], None] = lambda _name: None,
    ) -> Iterator[None]:
        """Call *heard* with each change, and *asked* with whom to ask for again, until left."""
        self._heard.append(heard)
        self._asked.append(asked)
        try:
            yield
        finally:
            self._heard.remove(heard)
            self._asked.remove(asked)


async def listen(
    connection: Connection[Record],
    events: Mapping[str, asyncio.Event],
    changes: Changes | None = None,
) -> None:
    """Set the event of each loop that is woken, for as long as *connection* lives.

    *changes* passes on what boards are to show anew. The connection is the listener's own, and not
    behind a pooler of transactions.
    """

    def heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        said = str(payload)
        if event := events.get(said):
            event.set()
        elif changes is not None and said.startswith(f"{WHO} "):
            changes.tell_of(said.removeprefix(f"{WHO} "))
        elif changes is not None and (change := _read(said)):
            changes.tell(change)

    await connection.add_listener(CHANNEL, heard)
    if changes is not None:
        changes.tell()
