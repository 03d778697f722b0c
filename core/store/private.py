"""Files and directories beside the database that nobody else may write to."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def directory(path: Path, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Make *path* for *owner* (user and group id; None: us), or verify that it is theirs.

    Raises:
        SettingsError: somebody else made it, or others may write to it.
    """
    uid = owner[0] if owner else os.geteuid()
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        status = path.lstat()
        theirs = not path.is_symlink() and path.is_dir() and status.st_uid == uid
        if not theirs or status.st_mode & 0o022:
            raise unfit(
                "state_dir", f"{path} is not a directory of ours alone: remove it"
            ) from None
    else:
        path.chmod(mode)  # whatever the umask
        if owner is not None:
            os.chown(path, *owner)


def verify(state_dir: Path) -> None:
    """Verify that *state_dir* can be written to, or be made; nothing is left there.

    Raises:
        SettingsError: it cannot.
    """
    with usable():
        there = state_dir.absolute()
        while not there.exists() and there != there.parent:
            there = there.parent
        with tempfile.TemporaryDirectory(prefix=".replyby-", dir=there):
            pass


@contextmanager
def usable() -> Iterator[None]:
    """Turn the system's refusal of a file in `state_dir` into a fault of the settings."""
    try:
        yield
    except OSError as error:
        fault = f"{error.filename}: {error.strerror}; choose a directory that we may write to"
        raise unfit("state_dir", fault) from error


def write_secret(path: Path, text: str) -> None:
    """Write a file that its directory's owner alone may read, durably."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(fd)
        give_to_owner(fd, path.parent)


def give_to_owner(fd: int, parent: Path) -> None:
    """Where root works in another user's directory, leave the file to that user."""
    if os.geteuid() == 0:
        status = parent.stat()
        os.fchown(fd, status.st_uid, status.st_gid)


def sync(path: Path) -> None:
    """Make the entries of a directory durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def unfit(key: str, fault: str) -> SettingsError:
    """Return the error for a setting of `[store]` that cannot be used here."""
    return SettingsError([f"store.{key}: {fault}"])
