"""What the process was asked to do from outside."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextlib import ExitStack

T = TypeVar("T")


class Signals:
    """*stop* by SIGTERM or SIGINT, *hurry* by a second one; *reloads* counts each SIGHUP."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self.reload = asyncio.Event()
        self.reloads = 0

    def listen(self, stack: ExitStack) -> None:
        """Hear the signals until *stack* closes."""
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
        (self.hurry if self.stop.is_set() else self.stop).set()

    def again(self) -> None:
        """Read the settings again."""
        self.reloads += 1
        self.reload.set()


async def waited(asked: asyncio.Event) -> None:
    """Wait until *asked* is set."""
    await asked.wait()
