"""Who is connected to a listener: how long each may keep us waiting, and how many there may be.

aiohttp limits neither, and asyncio's own taking of connections goes on until the process has no
file descriptor left, which it then tells in a traceback for each try. So connections are taken
here: never more than there is room for, and at the bound the one goes that kept us waiting longest.
"""

from __future__ import annotations

import asyncio
import resource
from abc import abstractmethod
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

PARTS = {"push": 4, "web": 8}
PART = 16
"""A listener takes a quarter, an eighth or a sixteenth of the files that the process may open: the
three of them leave the larger half to the database, mailboxes and polls."""
CEILING = 1_000
"""So many at most, however many files there may be: a marketplace's own senders need far fewer."""
FILES = 8 * CEILING
"""With so many files every listener has its most."""
RETRY = 1.0
"""Seconds without another try where the machine has nothing left for a connection."""


class Phase(Enum):
    """What a connection is at. Who is answered is not cut for another: a push may be stored."""

    OPENING = auto()
    NEW = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    LEAVING = auto()
    REST = auto()
    GONE = auto()


WAITED_FOR = {Phase.NEW, Phase.HEAD, Phase.BODY, Phase.REST}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a peer may take, and how many connections there may be.

    A head is one or two packets; ten seconds outlast three lost ones. A body has thirty: the
    largest that is taken by default, 10 MiB, needs 2.8 Mbit/s then, and a usual push of 10 kB a
    modem. As long may an answer stay unread. Who rests between two requests is cut by nothing but
    a crowd.
    """

    most: int
    head: float = 10.0
    body: float = 30.0
    unread: float = 30.0
    look: float = 1.0

    def is_late(self, phase: Phase, seconds: float) -> bool:
        """Whether *seconds* are too long for *phase*."""
        allowed = {
            Phase.NEW: self.head,
            Phase.HEAD: self.head,
            Phase.BODY: self.body,
            Phase.LEAVING: self.unread,
        }
        return phase in allowed and seconds >= allowed[phase]


class Guest(asyncio.BaseProtocol):
    """A connection as a room sees it: *since* is when its phase began, on the loop's clock."""

    __slots__ = ()

    phase: Phase
    since: float

    @abstractmethod
    def late(self) -> None:
        """It took too long for its phase."""

    @abstractmethod
    def crowded(self) -> None:
        """It goes for another."""


def widen() -> None:
    """Let the process open `FILES`, as far as it may: 1,024 are usual, and 500 boards need more.

    The usual limit is for programs that ask `select`, which can tell no more apart; we do not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limits(name: str) -> Limits:
    """Those of the listener *name* under the process's own limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = soft // PARTS.get(name, PART)
    return Limits(CEILING if soft == resource.RLIM_INFINITY else max(1, min(CEILING, few)))


def longest(guests: Collection[Guest]) -> Guest | None:
    """Who has kept us waiting longest; None: all are being answered, or one is going already."""
    if any(one.phase is Phase.GONE for one in guests):
        return None
    waited_for = (one for one in guests if one.phase in WAITED_FOR)
    return min(waited_for, key=lambda one: one.since, default=None)


class Room:
    """The connections of a listener, as many as *limits* allow.

    *refused* is told in a closed word that none can be taken now, *crashed* of a bug.
    """

    def __init__(
        self,
        limits: Limits,
        refused: Callable[[str], None],
        crashed: Callable[[BaseException], None],
    ) -> None:
        self._limits, self._refused, self._crashed = limits, refused, crashed
        self._guests: dict[Guest, None] = {}
        self._stirred = asyncio.Event()
        self._opening: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def taking(
        self, listening: Sequence[socket.socket], make: Callable[[], Guest]
    ) -> AsyncIterator[None]:
        """Take connections from *listening*, each for a new guest of *make*, until left."""
        tasks = [asyncio.create_task(self._take(one, make)) for one in listening]
        tasks.append(asyncio.create_task(self._look()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *self._opening, return_exceptions=True)

    def leave(self, guest: Guest) -> None:
        """There is room for another."""
        self._guests.pop(guest, None)
        self._stirred.set()

    def stir(self) -> None:
        """A guest is at another phase, and may be cut now."""
        self._stirred.set()

    async def _take(self, listening: socket.socket, make: Callable[[], Guest]) -> None:
        """Take one after another; what waits meanwhile waits in the kernel."""
        while True:
            try:
                await self._take_one(listening, make)
            except ConnectionAbortedError:
                continue
            except OSError:
                self._refused("not_taken")
                await asyncio.sleep(RETRY)
            except Exception as bug:  # noqa: BLE001  # others are to be taken all the same
                self._crashed(bug)
                await asyncio.sleep(RETRY)

    async def _take_one(self, listening: socket.socket, make: Callable[[], Guest]) -> None:
        """Take one, who waits for room beside those who have it.

        Raises:
            OSError: the process or the machine has nothing left for it.
        """
        made, _ = await asyncio.get_running_loop().sock_accept(listening)
        with ExitStack() as undo:
            undo.enter_context(made)
            await self._free()
            undo.pop_all()
        guest = make()
        self._guests[guest] = None
        task = asyncio.create_task(self._open(made, guest))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, made: socket.socket, guest: Guest) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: guest, made)
        except OSError:
            made.close()
            self.leave(guest)
        except Exception as bug:  # noqa: BLE001  # it must not end the taking of others
            made.close()
            self.leave(guest)
            self._crashed(bug)

    async def _free(self) -> None:
        """Wait until there is room for one more, and make it where anybody can be cut."""
        while len(self._guests) >= self._limits.most:
            self._stirred.clear()
            if (guest := longest(self._guests)) is not None:
                guest.crowded()
            await self._stirred.wait()

    async def _look(self) -> None:
        """Tell from time to time whoever is late."""
        while True:
            await asyncio.sleep(self._limits.look)
            try:
                self._look_once(asyncio.get_running_loop().time())
            except Exception as bug:  # noqa: BLE001  # there is another look
                self._crashed(bug)

    def _look_once(self, now: float) -> None:
        for guest in list(self._guests):
            if self._limits.is_late(guest.phase, now - guest.since):
                guest.late()
