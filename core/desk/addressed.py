"""Files that go along by their public address: the marketplace fetches them there. Pure."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from core.errors import Mistaken
from core.model import File
from core.transport.proxy import is_web_address

UNKNOWN = "application/octet-stream"


def linked(url: str) -> File:
    """The file at *url*, which goes along as that.

    Raises:
        Mistaken: not everybody can open it, or it names no file.
    """
    if not url.startswith("https://") or not is_web_address(url):
        raise Mistaken("a file's address begins with https://, and anybody may open it")
    last = PurePosixPath(unquote(urlsplit(url).path)).name
    if not last:
        raise Mistaken("a file's address ends with the file's name, such as /label.pdf")
    return File(last, media_type=media_type(last), url=url)


def media_type(name: str) -> str:
    """The media type that the *name* of a file promises."""
    return guess_type(name, strict=False)[0] or UNKNOWN
