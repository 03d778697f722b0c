"""Files that go with a reply or a deed, as they lie on this machine."""

from __future__ import annotations

from mimetypes import guess_type
from typing import TYPE_CHECKING

from core.errors import Mistaken
from core.model import File

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 10 * 2**20


def file(path: Path) -> File:
    """What lies at *path*.

    Raises:
        Mistaken: it cannot be read, or is larger than any marketplace takes.
    """
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise Mistaken(f"{path.name} cannot be read: {fault.strerror}") from None
    if len(content) > MOST_BYTES:
        raise Mistaken(f"{path.name} is larger than {MOST_BYTES // 2**20} MB; send less")
    return File(path.name, content, guess_type(path.name)[0] or "application/octet-stream")
