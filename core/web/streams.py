"""Server-sent events, and what waits to be sent to one client."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from contextlib import suppress

MOST = 16
"""So many events wait for a client at most: who is slower is told to begin anew."""
ENDS = re.compile(r"\r\n|\r|\n")
ALIVE = b": \n\n"
"""A comment: it says that the stream lives, and to proxies that it is in use."""


def event(name: str, data: str = "", id_: str | None = None) -> bytes:
    """An event as it is sent. *data* may have many lines, whatever ends them."""
    lines = [f"event: {name}", *(f"data: {line}" for line in ENDS.split(data))]
    if id_ is not None:
        lines.append(f"id: {id_}")
    return "\n".join((*lines, "", "")).encode()


RELOAD = event("reload")


class Client:
    """One that listens: what is to be sent to it, bounded; *seen* is what it has seen last.

    *is_doubted*: nothing is to be sent before it is asked again who listens.
    """

    def __init__(self, seen: str | None = None) -> None:
        self.seen = seen
        self.is_doubted = False
        self._waiting: deque[bytes] = deque()
        self._stirred = asyncio.Event()
        self._over = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes, and nothing waits."""
        return self._over and not self._waiting

    def push(self, chunk: bytes) -> None:
        """Let *chunk* be sent; where too much waits already, all of it is one word to reload."""
        if len(self._waiting) >= MOST:
            self._waiting.clear()
            chunk = RELOAD
        if chunk != RELOAD or RELOAD not in self._waiting:
            self._waiting.append(chunk)
        self._stirred.set()

    def doubt(self) -> None:
        """Have it asked at once who listens: they may other things than before."""
        self.is_doubted = True
        self._stirred.set()

    def end(self) -> None:
        """Let nothing come after what waits."""
        self._over = True
        self._stirred.set()

    async def next(self, within: float) -> bytes:
        """All that waits, after *within* seconds at most; nothing where nothing came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._stirred.wait()
        self._stirred.clear()
        found = b"".join(self._waiting)
        self._waiting.clear()
        if self._over:
            self._stirred.set()
        return found
