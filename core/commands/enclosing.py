"""Files that go with a reply or a deed: they lie on this machine, or at a public address."""

from __future__ import annotations

from pathlib import Path

from core.desk import addressed
from core.errors import Mistaken
from core.model import File

MOST_BYTES = 10 * 2**20


def named(name: str) -> File:
    """The file that *name* means: a path, or a public address (``https://``), which stays one.

    Raises:
        Mistaken: as `file`; or it is an address that not everybody can open, or names no file.
    """
    if "://" not in name:
        return file(Path(name))
    return addressed.linked(name)


def file(path: Path) -> File:
    """What lies at *path*.

    Raises:
        Mistaken: it cannot be read, or is larger than any marketplace takes.
    """
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise Mistaken(f"{path} cannot be read: {fault.strerror}") from None
    if len(content) > MOST_BYTES:
        raise Mistaken(f"{path} is larger than {MOST_BYTES // 2**20} MB; send less")
    return File(path.name, content, addressed.media_type(path.name))
