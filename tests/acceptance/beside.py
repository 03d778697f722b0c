"""An event loop in a thread of its own: servers that stand beside the daemon while a test waits."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from threading import Thread
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

T = TypeVar("T")


class Beside:
    """Runs coroutines beside the test; what was opened is closed in reverse at the end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._stack = AsyncExitStack()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def run(self, work: Coroutine[object, object, T], seconds: float = 60) -> T:
        """What *work* comes to; it runs in the other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def enter(self, opening: AbstractAsyncContextManager[T]) -> T:
        """Enter *opening* until the end."""
        return self.run(self._stack.enter_async_context(opening))
