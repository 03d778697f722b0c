"""The embedded PostgreSQL: the daemon owns it, every other command joins it.

Three locks in the server's home decide who does what.

    daemon.lock   the daemon, from its start to its end: a second one is refused
    server.lock   whoever has the server as a child. Its text tells the others the state
                  (starting, serving, leaving) and where the socket is
    guests.lock   shared by the commands that use a server which another process runs

A command joins a server that says `serving`; where none runs it starts one for its own duration,
and before it ends waits for the guests that have come meanwhile. It says `leaving` first, so no
guest comes after that: whoever wants a server then waits for the lock and starts its own.

A daemon that finds a command's server waits until that command is done: it never becomes a guest,
for a guest's server may go. It ends its own server at once when it stops; guests are told by their
connections. What kill -9 of an owner leaves is ended by the kernel (Linux) or by the next owner.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import chain, repeat
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from core.errors import StoreImpaired, StoreUnavailable
from core.store import pgbinaries, pgcluster, private
from core.store.locks import Lock
from core.store.postmaster import Postmaster
from core.store.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from core.errors import SettingsError
    from core.store import Address
    from core.store.pgbinaries import Binaries
    from core.store.pgcluster import Home

log = structlog.get_logger()

FULL = re.compile("No space left on device|wrote only|Disk quota|[Ff]ile (too large|size limit)")
LOOK_EVERY = 0.02
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
WATCH_EVERY = 1.0
"""Seconds between two looks at a server that runs: is it asked to end, by somebody else?"""
STEADY = 10.0
"""Seconds for which a server that was started again must run to begin with the shortest pause."""


class Server:
    """The server that this process runs; its address is the same after every restart."""

    def __init__(self, home: Home, binaries: Binaries, lock: Lock) -> None:
        self._home = home
        self._binaries = binaries
        self._lock = lock
        self._password = pgcluster.password(home)
        self._host = str(pgcluster.socket_directory(home, binaries.user))
        self.address = _address(self._host, self._password)
        self._postmaster: Postmaster | None = None

    async def watch(self) -> None:
        """Start the server again whenever it ends unasked, until cancelled.

        One that somebody else has asked to end is ended at once: else it would serve for good who
        is connected, and refuse everybody else. Nothing committed is lost; connections are, and a
        pool makes new ones.

        Raises:
            StoreUnavailable: the data is gone, with its directory.
        """
        pauses = _pauses()
        while self._postmaster is not None:
            began = monotonic()
            log.warning("postgres ended", code=await _ended(self._postmaster, self._home))
            if monotonic() - began > STEADY:
                pauses = _pauses()
            await asyncio.sleep(next(pauses))
            await self._start_again(pauses)

    async def _start_again(self, pauses: Iterator[float]) -> None:
        for pause in pauses:
            pgcluster.verify(self._home)
            try:
                await self._start()
            except (StoreUnavailable, OSError) as error:
                log.warning("postgres did not start", error=str(error), again_in=pause)
                await asyncio.sleep(pause)
            else:
                return

    async def start(self) -> None:
        """Make the data where there is none, clear up after an earlier owner, start and wait.

        Raises:
            SettingsError: the data cannot be opened by what is installed.
            StoreUnavailable: PostgreSQL did not start.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the server dies with the thread that starts it: use the main one")
        try:
            if not self._home.data.exists():
                await pgcluster.create(self._home, self._binaries, self._password)
            await self._start()
        except OSError as error:
            raise StoreUnavailable(f"PostgreSQL did not start: {error}") from error

    async def _start(self) -> None:
        begun = monotonic()
        self._lock.write(state="starting")
        pgcluster.check_major(self._home, self._binaries)
        await pgcluster.clear(self._home)
        sockets = pgcluster.socket_directory(self._home, self._binaries.user)
        lz4 = {"default_toast_compression": "lz4"} if self._binaries.has_lz4() else {}
        self._postmaster = Postmaster(self._home, self._binaries, sockets, lz4)
        await self._postmaster.ready()
        self._lock.write(state="serving", host=self._host)
        seconds = round(monotonic() - begun, 3)
        pid = self._postmaster.pid
        log.info("postgres started", pid=pid, data=str(self._home.data), seconds=seconds)

    async def stop(self) -> None:
        """Stop it; does nothing where none runs."""
        if self._postmaster is not None:
            postmaster, self._postmaster = self._postmaster, None
            await postmaster.stop()


async def _ended(postmaster: Postmaster, home: Home) -> int:
    """Wait until it ends, or somebody asks it to; its exit code.

    Raises:
        StoreUnavailable: its data is gone: what it still says comes from memory.
    """
    ended = asyncio.ensure_future(postmaster.ended())
    try:
        while not (await asyncio.wait({ended}, timeout=WATCH_EVERY))[0]:
            pgcluster.verify(home)
            if postmaster.is_stopping():
                log.warning("postgres was asked to end by somebody else", pid=postmaster.pid)
                await postmaster.stop()
        return ended.result()
    finally:
        ended.cancel()


@asynccontextmanager
async def own(
    state_dir: Path, *, elsewhere: Path = pgbinaries.ROOTS_PLACE
) -> AsyncIterator[Server]:
    """Run the server for a daemon, which also runs `Server.watch` as a task. Main thread only.

    Raises:
        SettingsError: another daemon has this directory; or it, or what is installed, is unfit.
        StoreUnavailable: PostgreSQL did not start; the error ends with its reason.
    """
    home, user = pgcluster.settle(state_dir, elsewhere)
    binaries = pgbinaries.prepare(user, elsewhere)
    with _mended(home), Lock(home.daemon_lock) as daemon, Lock(home.server_lock) as lock:
        if not daemon.take():
            raise _second_daemon(state_dir, daemon)
        daemon.write()
        await _wait_for_command(lock)
        async with _running(home, binaries, lock) as server:
            yield server


@asynccontextmanager
async def join(
    state_dir: Path, *, elsewhere: Path = pgbinaries.ROOTS_PLACE
) -> AsyncIterator[Address]:
    """Use the running server, or run one meanwhile: for every command but the daemon.

    Raises:
        SettingsError: the directory, or what is installed, is unfit.
        StoreUnavailable: PostgreSQL did not start; the error ends with its reason.
    """
    home, user = pgcluster.settle(state_dir, elsewhere)
    with _mended(home), Lock(home.server_lock) as lock, Lock(home.guests_lock) as guests:
        host = await _entered(lock, guests)
        if host is not None:
            yield _address(host, pgcluster.password(home))
            return
        async with _running(home, pgbinaries.prepare(user, elsewhere), lock) as server:
            try:
                yield server.address
            finally:
                _close_the_door(lock)
                await _wait_for_guests(guests)


def is_served(state_dir: Path) -> bool:
    """Whether a process says that it runs the server: for whoever would not start one."""
    try:
        told = json.loads((state_dir / "postgres" / "server.lock").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("state") == "serving"


@asynccontextmanager
async def _running(home: Home, binaries: Binaries, lock: Lock) -> AsyncIterator[Server]:
    try:
        lock.write(state="starting")
        server = Server(home, binaries, lock)
    except OSError as error:
        raise StoreUnavailable(f"PostgreSQL did not start: {error}") from error
    try:
        await server.start()
        yield server
    finally:
        _close_the_door(lock)
        await server.stop()


@contextmanager
def _mended(home: Home) -> Iterator[None]:
    """Say of whatever befalls the embedded database where to look: nobody has set its address."""
    try:
        yield
    except StoreUnavailable as fault:
        if fault.mend is None:
            room = f"has the disk of {home.directory} room? "
            words = f"PostgreSQL's own words are in {home.log}"
            is_full = isinstance(fault, StoreImpaired) or FULL.search(str(fault))
            fault.mend = room + words if is_full else words
        raise


async def _entered(lock: Lock, guests: Lock) -> str | None:
    """Return the host of the server whose guest we are now; None where we hold *lock* ourselves."""
    host: str | None = None

    def entered() -> bool:
        nonlocal host
        if lock.take():
            return True
        told = lock.read()
        if told.get("state") == "serving" and guests.take(shared=True):
            if lock.read() == told:
                host = str(told["host"])
                return True
            guests.release()  # it was about to leave, and will not wait for us
        return False

    await until(entered, look_every=LOOK_EVERY, say=_saying("waiting for postgres", lock))
    return host


async def _wait_for_command(lock: Lock) -> None:
    """Take the server's lock; while a command runs the server, wait until it is done."""
    await until(lock.take, look_every=LOOK_EVERY, say=_saying("waiting for a command", lock))


async def _wait_for_guests(guests: Lock) -> None:
    """Wait until nobody else uses our server, and let nobody in."""
    await until(guests.take, look_every=LOOK_EVERY, say=_saying("waiting for other commands"))


def _pauses() -> Iterator[float]:
    """Seconds to wait before each try to start it again; none before the first."""
    return chain((0.0,), PAUSES, repeat(PAUSES[-1]))


def _close_the_door(lock: Lock) -> None:
    """Ask that no guest comes any more; on a full disk one may, and is waited for."""
    with suppress(OSError):
        lock.write(state="leaving")


def _saying(happening: str, lock: Lock | None = None) -> Callable[[float], None]:
    def say(waited: float) -> None:
        owner = lock.read().get("pid") if lock is not None else None
        log.warning(happening, owner=owner, seconds=round(waited))

    return say


def _second_daemon(state_dir: Path, daemon: Lock) -> SettingsError:
    pid = daemon.read().get("pid", "unknown")
    return private.unfit(
        "state_dir",
        f"process {pid} is a daemon on {state_dir.absolute()} already: stop it (kill {pid}), or"
        " give this one a state_dir of its own",
    )


def _address(host: str, password: str) -> Address:
    return {
        "host": host,
        "port": pgcluster.PORT,
        "user": pgcluster.ROLE,
        "password": password,
        "database": "postgres",
    }
