"""A thread of its own for one IMAP connection, and the watchdog that ends both from outside.

A blocked thread cannot be cancelled. What can be is its socket: shut down by whoever waits for
it, from the event loop, it wakes whatever the thread is doing, and the thread ends.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import Unreachable

if TYPE_CHECKING:
    from core.transport.imap_client import Client

T = TypeVar("T")
Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]

FAREWELL = 5.0
"""Seconds that we wait for a thread whose socket is shut down; only a name's look-up is longer."""


class Line:
    """One thread with its connection; one job at a time. *client* is there once connected."""

    client: Client

    def __init__(self, name: str) -> None:
        self._where = name
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = Lock()
        self._guard: socket.socket | None = None
        self._ended = asyncio.Event()
        self.is_over = False
        Thread(target=self._work, name=name, daemon=True).start()

    def plug(self, sock: socket.socket) -> None:
        """Take a second grip on *sock*, which stays valid when TLS wraps the first.

        Raises:
            OSError: we were cut meanwhile.
        """
        with self._lock:
            if self.is_over:
                raise OSError("cut")
            self._unplug()
            self._guard = sock.dup()

    async def run(self, job: Callable[[], T], seconds: float) -> T:
        """What *job* returns; it ran in our thread.

        Raises:
            Unreachable: it took longer than *seconds*, and the connection is cut; or it was.
        """
        if self.is_over:
            raise Unreachable(f"{self._where}: no connection (network)", detail="network")
        done: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((job, done))
        try:
            async with asyncio.timeout(seconds):
                return await done
        except TimeoutError:
            await self.cut()
            raise Unreachable(f"{self._where}: no answer (timeout)", detail="timeout") from None
        except asyncio.CancelledError:
            await self.cut()
            raise

    async def cut(self) -> None:
        """End at once, whatever the thread is doing; return when it has ended."""
        with self._lock:
            self.is_over = True
            if self._guard is not None:
                with suppress(OSError):
                    self._guard.shutdown(socket.SHUT_RDWR)
        self._jobs.put(None)
        await self._end(FAREWELL)

    def leave(self) -> None:
        """Log out and end, without waiting for it."""
        self.is_over = True
        self._jobs.put((self.client.log_out, self._loop.create_future()))
        self._jobs.put(None)

    async def close(self) -> None:
        """Log out and end; a server that does not answer soon is cut."""
        self.leave()
        if not await self._end(1.5):
            await self.cut()

    async def _end(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        return self._ended.is_set()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._do(*job)
        if hasattr(self, "client"):
            self.client.hang_up()
        with self._lock:
            self._unplug()
        self._tell(self._ended.set)

    def _do(self, job: Callable[[], Any], done: asyncio.Future[Any]) -> None:
        try:
            result = job()
        except BaseException as fault:  # noqa: BLE001  # belongs to whoever waits for it
            self._tell(_settle, done, None, fault)
        else:
            self._tell(_settle, done, result, None)

    def _tell(self, what: Callable[..., object], *given: object) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(what, *given)

    def _unplug(self) -> None:
        if self._guard is not None:
            self._guard.close()
            self._guard = None


def _settle(done: asyncio.Future[Any], result: object, fault: BaseException | None) -> None:
    if done.done():
        return
    if fault is None:
        done.set_result(result)
    else:
        done.set_exception(fault)
