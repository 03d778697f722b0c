"""One PostgreSQL server as a child of this process: started, awaited, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

import structlog

from core.errors import StoreUnavailable
from core.store import pgbinaries, pgcluster, private
from core.store.waiting import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

    from core.store.pgbinaries import Binaries
    from core.store.pgcluster import Home

log = structlog.get_logger()

SETTINGS: Mapping[str, str] = {
    "port": str(pgcluster.PORT),
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "40",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "track_commit_timestamp": "on",
    "autovacuum": "on",
    "jit": "off",
    # By itself it would try again without a pause, for ever: whoever owns it starts it again.
    "restart_after_crash": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Three io workers and the launcher of a replication that nobody uses would idle in memory.
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    # Parallel plans want /dev/shm, of which a container has 64 MB; our queries are small.
    "max_parallel_workers_per_gather": "0",
    # An ERROR quotes values, and those may be a buyer's: the client that caused it is told anyway.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
}
LARGEST_LOG = 1_000_000


class Postmaster:
    """A running server. Start it from the main thread: it dies with the thread that started it."""

    def __init__(
        self, home: Home, binaries: Binaries, sockets: Path, settings: Mapping[str, str]
    ) -> None:
        self._home = home
        quoted = '"' + str(sockets).replace('"', '""') + '"'
        chosen = {**SETTINGS, "unix_socket_directories": quoted, **settings}
        words = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
        command: list[str | Path] = [binaries.directory / "postgres", "-D", home.data, *words]
        _rotate(home.log)
        with home.log.open("ab") as output:
            private.give_to_owner(output.fileno(), home.directory)
            self._log_start = output.tell()
            self._process: subprocess.Popen[bytes] = pgbinaries.start(
                command, user=binaries.user, output=output.fileno(), when_we_die=signal.SIGINT
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self, say_after: float = 2.0) -> None:
        """Wait until it takes connections, through a crash recovery of any length.

        After *say_after* seconds, and then ever more rarely, the log tells what it is doing.

        Raises:
            StoreUnavailable: it ended instead; the error ends with the reason that it gave.
        """

        def say(waited: float) -> None:
            log.warning("postgres is recovering", seconds=round(waited), says=self._words(1))

        await until(lambda: self._is_ready() or self._has_ended(), say=say, say_after=say_after)
        if self._has_ended():
            code = self._process.returncode
            why = pgcluster.reason(self._words())
            raise StoreUnavailable(f"PostgreSQL did not start (exit {code}): {why}")

    async def ended(self) -> int:
        """Wait until it ends, asked or not; return its exit code, negative for a signal."""
        if hasattr(os, "pidfd_open"):
            await _told_of(self.pid)
        await until(self._has_ended, look_every=0.1)
        return self._process.wait()

    async def stop(self, patience: float = 3.0) -> None:
        """Disconnect everybody and write all out; after *patience* seconds leave that to recovery.

        Nothing that was committed is lost either way.
        """
        signs = ((signal.SIGINT, patience), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 60.0))
        try:
            for sign, seconds in signs:
                if await self._ends(sign, seconds):
                    return
        finally:
            self._end_now()  # cancelled: no time left for a tidy end

    async def _ends(self, sign: signal.Signals, seconds: float) -> bool:
        self._process.send_signal(sign)
        return await until(self._has_ended, seconds)

    def _end_now(self) -> None:
        """End it within a second; of one that hangs, its children too, which do not see it go."""
        self._process.send_signal(signal.SIGQUIT)
        with suppress(TimeoutExpired):
            self._process.wait(0.5)
        self._process.kill()
        self._process.wait()
        for pid in pgcluster.servers(self._home.data):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _has_ended(self) -> bool:
        return self._process.poll() is not None

    def is_stopping(self) -> bool:
        """Whether it was asked to end: it serves who is connected, and takes nobody any more."""
        return self._status() == "stopping"

    def _is_ready(self) -> bool:
        return self._status() == "ready"

    def _status(self) -> str:
        """Its own word for what it is doing; empty where it has not said."""
        try:
            lines = (self._home.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return ""
        ours = len(lines) >= 8 and lines[0] == str(self.pid)
        return lines[7].strip() if ours else ""

    def _words(self, lines: int = 12) -> str:
        return pgcluster.tail(self._home.log, self._log_start, lines)


async def _told_of(pid: int) -> None:
    """Wait without looking, where the kernel tells of a child's end; it is still to be reaped."""
    try:
        told = os.pidfd_open(pid)
    except OSError:  # it is gone, or the kernel is older than 5.3
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(told, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(told)
        os.close(told)


def _rotate(path: Path) -> None:
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
