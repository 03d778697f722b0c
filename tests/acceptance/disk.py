"""A disk for the state directory of a shop, which a test can fill, and empty again: two ways.

`mounted`: a file system of so many MiB in a mount namespace of its own, that ends with the test:
nothing of it is seen outside, and nothing stays. `Limit`: where nothing may be mounted, the kernel
lets no file grow.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = 'mount -t tmpfs -o size="$2"m,mode=755 none "$1" && echo mounted && exec sleep infinity'
ENTER = 'cd "$0" && exec "$@"'
BLOCK = 1 << 16
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Disk:
    """*before* begins a command that sees the disk at *place*; *seen* is where the test sees it."""

    before: tuple[str, ...]
    seen: Path

    def fill(self, daemon: int) -> None:
        """Take all that is free."""
        with (self.seen / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(BLOCK))

    def leave(self, free: int) -> None:
        """Take all but *free* bytes."""
        with (self.seen / "ballast").open("ab") as ballast:
            ballast.write(bytes(shutil.disk_usage(self.seen).free - free))

    def empty(self, daemon: int) -> None:
        """Give back what was taken."""
        (self.seen / "ballast").unlink()


@dataclass(frozen=True, slots=True)
class Limit:
    """As `Disk`: no file of the daemon's may grow beyond a limit, nor of the server that it starts.

    The server that runs has to end for that: we may not limit what belongs to another user.
    """

    seen: Path
    before: tuple[str, ...] = ()

    def fill(self, daemon: int) -> None:
        """Let no file become larger than `LARGEST`."""
        _limit(daemon, LARGEST)
        for child in psutil.Process(daemon).children():
            child.kill()

    def empty(self, daemon: int) -> None:
        """Let them become as large as they may."""
        _limit(daemon, resource.prlimit(daemon, resource.RLIMIT_FSIZE)[1])


def _limit(daemon: int, most: int) -> None:
    hard = resource.prlimit(daemon, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(daemon, resource.RLIMIT_FSIZE, (most, hard))


@contextmanager
def mounted(place: Path, inside: str, mebibytes: int) -> Iterator[Disk | str]:
    """A disk at *place* / *inside*; or why there can be none here."""
    target = place / inside
    target.mkdir()
    holder = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", HOLD, "sh", target, str(mebibytes)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != "mounted\n":
            yield holder.stderr.read().strip()
            return
        enter = ("nsenter", "-t", str(holder.pid), "-m", "sh", "-c", ENTER, str(place))
        root = type(place)(f"/proc/{holder.pid}/root")
        yield Disk(enter, root / target.relative_to("/"))
    finally:
        holder.kill()
        holder.communicate()
