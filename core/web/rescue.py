"""What somebody had typed, given back on the page that says why it was not taken.

With a script the text never leaves its box; without one the fault's page is all that there is.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import BodyPartReader, web

from core.web import pages
from core.web.signing import arriving, forms

if TYPE_CHECKING:
    from collections.abc import Iterable

BOX = ("/reply/", "/mark/", "/answered/", "/promise/", "/undo/")
"""Beginnings of the paths to which the box for an answer is sent."""
MOST = 256 * 2**10
"""Bytes of what is read for it at most, whoever sends it: no marketplace takes so long a text."""
KEPT = ("to", "follow_up", "kept", "file_kept", "seen")


@dataclass(frozen=True, slots=True)
class Typed:
    """The *text*, and other *fields* of the box; *to* is where it is opened again, if anywhere."""

    text: str = field(repr=False)
    fields: tuple[tuple[str, str], ...]
    to: str


async def typed(request: web.Request) -> Typed | None:
    """What was typed into the box for an answer; None where nothing was, or no page of ours asks.

    Files are not kept: they have to be chosen again.
    """
    is_box = request.method == "POST" and request.path.startswith(BOX)
    if "Content-Encoding" in request.headers:  # nobody knows to what it unfolds; no browser packs
        return None
    public = arriving.settings(request).public_url
    if not is_box or "HX-Request" in request.headers or not forms.is_ours(request.headers, public):
        return None
    with suppress(ValueError, LookupError, web.HTTPException):  # a body that is no form
        return _typed(request, await _sent(request))
    return None


def _typed(request: web.Request, sent: Iterable[tuple[str, str]]) -> Typed | None:
    fields = list(sent)
    text = dict(fields).get("text", "").replace("\0", "")
    where = request.match_info.get("account"), request.match_info.get("thread")
    to = pages.thread_path(where[0], where[1], "reply") if where[0] and where[1] else ""
    kept = tuple((name, value) for name, value in fields if name in KEPT)
    return Typed(text, kept, to) if text.strip() else None


async def _sent(request: web.Request) -> list[tuple[str, str]]:
    """The words of the form, read already or not: of a body that is too large, its beginning."""
    if not request.can_read_body:
        return _words(await request.post())
    if request.content_type == "multipart/form-data":
        return await _beginning(request)
    length = request.content_length
    return [] if length is None or length > MOST else _words(await request.post())


def _words(form: object) -> list[tuple[str, str]]:
    return [(k, v) for k, v in form.items() if isinstance(v, str)]  # type: ignore[attr-defined]  # a MultiDict


async def _beginning(request: web.Request) -> list[tuple[str, str]]:
    """The fields before the first file, as far as they are short."""
    found: list[tuple[str, str]] = []
    reader, read = await request.multipart(), 0
    while isinstance(part := await reader.next(), BodyPartReader):
        if part.filename is not None or part.name is None:
            break
        content = bytearray()
        while chunk := await part.read_chunk():
            content += chunk
            read += len(chunk)
            if read > MOST:
                return found
        found.append((part.name, content.decode(errors="replace")))
    return found
