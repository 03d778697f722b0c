"""What pages consist of besides themselves: styles, scripts and pictures that never change.

Each is served under a name that holds a hash of it, so that a browser keeps it for good and has
the new one at once. Nothing comes from another host.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from core.web.ways import OPEN, Way

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).resolve().parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PATH = "/static/"
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served: *name* holds a hash of its *plain* bytes, *packed* are gzip's."""

    name: str
    content_type: str
    plain: bytes
    packed: bytes


@cache
def files() -> Mapping[str, File]:
    """Every file by its name on the disk, which none shares with another."""
    found: dict[str, File] = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in TYPES:
            found[path.name] = _file(path)
    return found


def _file(path: Path) -> File:
    plain = path.read_bytes()
    digest = hashlib.sha256(plain).hexdigest()[:12]
    name = f"{path.stem}.{digest}{path.suffix}"
    return File(name, TYPES[path.suffix], plain, gzip.compress(plain, 9, mtime=0))


@cache
def _served() -> Mapping[str, File]:
    return {file.name: file for file in files().values()}


def address(name: str) -> str:
    """The path under which the file *name* is served.

    Raises:
        KeyError: there is none.
    """
    return PATH + files()[name].name


async def answer(request: web.Request) -> web.Response:
    """The file, gzip'd where the browser takes that; 404 for another hash than today's."""
    file = _served().get(request.match_info["name"])
    if file is None:
        raise web.HTTPNotFound
    headers = {
        "Content-Type": file.content_type,
        "Cache-Control": FOR_GOOD,
        "ETag": f'"{file.name}"',
        "Vary": "Accept-Encoding",
    }
    if f'"{file.name}"' in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=file.packed, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=file.plain, headers=headers)


WAYS = (Way("GET", PATH + "{name}", answer, OPEN),)
