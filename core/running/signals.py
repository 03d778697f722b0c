"""What the process was asked to do from outside."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextlib import ExitStack

T = TypeVar("T")


LAST = 3.5
"""Seconds after which a stop that does not come to its end is hurried: the end is due at five."""
STEP = 0.2

log = structlog.get_logger()


class Signals:
    """*stop* by SIGTERM or SIGINT; *hurry* by a second one, or when stopping takes too long.

    *reloads* counts each SIGHUP.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self.reload = asyncio.Event()
        self.reloads = 0
        self._main: asyncio.Task[object] | None = None
        self._again: asyncio.TimerHandle | None = None

    def listen(self, stack: ExitStack) -> None:
        """Hear the signals until *stack* closes; in a hurry, the calling task is cancelled."""
        self._main = asyncio.current_task()
        stack.callback(self._rest)
        loop = asyncio.get_running_loop()
        acts = {signal.SIGTERM: self.end, signal.SIGINT: self.end, signal.SIGHUP: self.again}
        for number, act in acts.items():
            loop.add_signal_handler(number, act)
            stack.callback(loop.remove_signal_handler, number)

    async def unless_stopped(self, work: Coroutine[None, None, T]) -> T | None:
        """What *work* comes to; None, and *work* is cancelled, when asked to stop meanwhile."""
        working = asyncio.create_task(work)
        stopping = asyncio.create_task(waited(self.stop))
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            working.cancel()
            stopping.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

    def end(self) -> None:
        """Stop; at once when asked twice."""
        if self.stop.is_set():
            self._hasten()
        else:
            self.stop.set()
            self._again = asyncio.get_running_loop().call_later(LAST, self._hasten)

    def _hasten(self) -> None:
        """Give everything that closes a moment, one after the other, and no more."""
        if not self.hurry.is_set():
            log.warning("stopping in a hurry")
        self.hurry.set()
        self._rest()
        self._again = asyncio.get_running_loop().call_later(STEP, self._hasten)
        if self._main is not None:
            self._main.cancel()

    def _rest(self) -> None:
        if self._again is not None:
            self._again.cancel()

    def again(self) -> None:
        """Read the settings again."""
        self.reloads += 1
        self.reload.set()


async def waited(asked: asyncio.Event) -> None:
    """Wait until *asked* is set."""
    await asked.wait()
