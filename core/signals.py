"""What the process was asked to do from outside."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import ExitStack


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

    def end(self) -> None:
        """Stop; at once when asked twice."""
        (self.hurry if self.stop.is_set() else self.stop).set()

    def again(self) -> None:
        """Read the settings again."""
        self.reloads += 1
        self.reload.set()
