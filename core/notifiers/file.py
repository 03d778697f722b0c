"""Notices as lines of JSON at the end of a file: for `tail -f`, a log shipper, a first run."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.errors import NotifierError
from core.notifier import NotifierOptions, Settled, payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.model import Notice
    from core.notifier import Means, Words


class FileOptions(NotifierOptions):
    """*path* starts from the directory of the settings; folders below that one are made.

    A file takes a flood line by line: programs read it, and it is the whole list of what was told.
    *act_url*: whether it holds the links by which whoever reads it takes a thread. It is kept, and
    shipped elsewhere: not unless that is asked for.
    """

    kind: Literal["file"] = "file"
    path: str = Field(min_length=1)
    digest_after: int = Field(default=0, ge=0)
    act_url: bool = False

    def faults(self, directory: Path) -> Iterator[tuple[str, str]]:
        """A path that is a directory, or that lies in none."""
        try:
            path = directory / Path(self.path).expanduser()
        except RuntimeError:
            yield "path", "begins in a home that is not known; write it out"
            return
        if path.is_dir():
            yield "path", "is a directory; name a file in it"
        elif not path.parent.is_dir() and not _is_below(path, directory):
            yield "path", "its directory does not exist; make it, or name another"


class File(Settled):
    """Appends one line a notice, on disk before it counts as sent. It never rotates."""

    def __init__(self, name: str, options: FileOptions, means: Means) -> None:
        super().__init__(name, options)
        self._act_url = options.act_url
        self._path = means.directory / Path(options.path).expanduser()
        self._makes = _is_below(self._path, means.directory)

    async def send(self, notice: Notice, words: Words) -> None:
        """Append the notice.

        Raises:
            NotifierError: the file cannot be written; trying again may help.
        """
        told = payload(notice, words, act_url=self._act_url)
        line = json.dumps(told, ensure_ascii=False).encode() + b"\n"
        try:
            await asyncio.to_thread(self._append, line)
        except OSError as fault:
            raise NotifierError(f"the file cannot be written: {fault.strerror}") from fault

    def _append(self, line: bytes) -> None:
        if self._makes:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        _append(self._path, line)


def _is_below(path: Path, directory: Path) -> bool:
    return path.resolve().is_relative_to(directory.resolve())


def _append(path: Path, line: bytes) -> None:
    """Write the whole line or nothing of it; never onto the end of a torn one."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file).st_size
        torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        try:
            _write(file, b"\n" + line if torn else line)
            os.fsync(file)
        except OSError:
            os.ftruncate(file, size)
            raise
    finally:
        os.close(file)


def _write(file: int, rest: bytes) -> None:
    while rest:
        rest = rest[os.write(file, rest) :]
