"""What a file is by its content, whatever it is called: a name says what somebody hopes. Pure."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import PurePosixPath

from core.model import UNSEEN, File

UNKNOWN = "application/octet-stream"
LONGEST_NAME = 150
MOST_MEMBERS = 10_000

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
    "word/document.xml": "vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "vnd.openxmlformats-officedocument.presentationml.presentation",
}
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
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist()[:MOST_MEMBERS])
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return UNKNOWN
    found = next((kind for member, kind in _OFFICE.items() if member in names), "zip")
    return f"application/{found}"


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return bool(text) and UNSEEN.search(text) is None
