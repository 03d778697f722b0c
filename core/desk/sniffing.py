"""What a file is by its content, whatever it is called: a name says what somebody hopes. Pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from struct import Struct
from typing import TYPE_CHECKING

from core.model import UNSEEN, File

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN = "application/octet-stream"
LONGEST_NAME = 150
MOST_MEMBERS = 2_000
"""Members of an archive whose names are looked at; those that tell an office's file come early."""

_BEGINS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
    (b"ID3", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"qt  ": "video/quicktime",
}
_OFFICE = {
    b"word/document.xml": "vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"xl/workbook.xml": "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    b"ppt/presentation.xml": "vnd.openxmlformats-officedocument.presentationml.presentation",
}
# Of an archive (PKWARE's APPNOTE.TXT, 4.3.12 and 4.3.16): how its directory ends, with the size of
# that, and the head of a member in it, with the lengths of what follows.
_END, _MEMBER = b"PK\x05\x06", b"PK\x01\x02"
_PLACE, _HEAD = Struct("<12xL6x"), Struct("<28xHHH12x")
_LONGEST_END = _PLACE.size + 0xFFFF
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]')


def media_type(content: bytes) -> str:
    """The media type of *content*; `UNKNOWN` where it is none that we know."""
    for begin, found in _BEGINS:
        if content.startswith(begin):
            return found
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "video/mp4")
    if content[:4] == b"PK\x03\x04":
        return _archive(content)
    return "text/plain" if _is_text(content) else UNKNOWN


def named(name: str, content: bytes) -> File:
    """*content* as a file: of the type that it has, under a *name* that harms nobody."""
    last = PurePosixPath(name.replace("\\", "/")).name
    fit = " ".join(_UNFIT.sub(" ", last).split()).lstrip(".")
    stem, dot, end = fit.rpartition(".")
    if dot and len(fit) > LONGEST_NAME:
        fit = f"{stem[: LONGEST_NAME - len(end) - 1]}.{end[:16]}"
    return File(fit[:LONGEST_NAME] or "file", content, media_type(content))


def _archive(content: bytes) -> str:
    """What kind of archive *content* is, by the begin of the directory at its end.

    Not by `zipfile`, which reads the whole of it: a file of 32 MiB may be nothing else.
    """
    ends = content.rfind(_END, max(0, len(content) - _LONGEST_END))
    if ends < 0 or len(content) < ends + _PLACE.size:
        return UNKNOWN
    (size,) = _PLACE.unpack_from(content, ends)
    names = list(_members(content, max(0, ends - size)))
    found = next((_OFFICE[name] for name in names if name in _OFFICE), "zip")
    return f"application/{found}" if names else UNKNOWN


def _members(content: bytes, at: int) -> Iterator[bytes]:
    """The names of the archive's first members, by its directory, which begins *at*."""
    for _ in range(MOST_MEMBERS):
        if not content.startswith(_MEMBER, at) or len(content) < at + _HEAD.size:
            return
        name, extra, comment = _HEAD.unpack_from(content, at)
        yield content[at + _HEAD.size : at + _HEAD.size + name]
        at += _HEAD.size + name + extra + comment


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return bool(text) and UNSEEN.search(text) is None
