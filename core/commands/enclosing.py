"""Files that go with a reply or a deed: they lie on this machine, or at a public address."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from core.errors import Mistaken
from core.model import File
from core.transport.proxy import is_web_address

MOST_BYTES = 10 * 2**20
UNKNOWN = "application/octet-stream"


def named(name: str) -> File:
    """The file that *name* means: a path, or a public address (``https://``), which stays one.

    Raises:
        Mistaken: as `file`; or it is an address that not everybody can open, or names no file.
    """
    if "://" not in name:
        return file(Path(name))
    if not name.startswith("https://") or not is_web_address(name):
        raise Mistaken("a file's address begins with https://, and anybody may open it")
    last = PurePosixPath(unquote(urlsplit(name).path)).name
    if not last:
        raise Mistaken("a file's address ends with the file's name, such as /label.pdf")
    return File(last, media_type=_type(last), url=name)


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
    return File(path.name, content, _type(path.name))


def _type(name: str) -> str:
    return guess_type(name, strict=False)[0] or UNKNOWN
