"""Locks on files, by flock: the kernel lets go of one when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING, Self

from core.store import private

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


ROOM = 512
"""Bytes that every text takes: what is written in place needs no new room on the disk."""


class Lock:
    """A lock whose holder writes into the file what the others should know of it."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        private.give_to_owner(self._fd, path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def take(self, *, shared: bool = False) -> bool:
        """Take it, without waiting; False where another holds it."""
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._fd, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let it go, and keep the file open to take it again."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def write(self, **told: object) -> None:
        """Tell the others about this holder, its `pid` included."""
        text = json.dumps({"pid": os.getpid(), **told}).encode()
        os.pwrite(self._fd, text.ljust(ROOM), 0)

    def read(self) -> dict[str, object]:
        """Return what the last holder wrote; empty while it is just writing."""
        try:
            told = json.loads(os.pread(self._fd, 4096, 0))
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}

    def close(self) -> None:
        """Let it go for good."""
        os.close(self._fd)
