"""The tree of a letter's parts, as places in its bytes. Pure, and linear in the letter's size.

The standard library's parser asks about each line at each level of nesting and recurses without a
bound: 1,000 levels raise. Here a level is searched for one delimiter, no bytes are copied, and the
depth and the number of parts have limits.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.transport import headers
from core.transport.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 50
"""Levels of parts: a letter forwarded ten times by the clumsiest of programs has thirty."""

MOST_PARTS = 1_000
"""Parts of a letter, those of letters inside it included: a digest of a busy list has hundreds."""

LETTERS = frozenset({"message/rfc822", "message/global", "message/news"})

CLOSING = re.compile(rb"(--)?[ \t]*+\r?(?:\n|\Z)")
LIKE_A_BOUNDARY = re.compile(rb"(?:\A|\n)--([^\s]{1,200})[ \t]*\r?\n(?=content-)", re.IGNORECASE)
FIRST_LINE = re.compile(rb"\s*+[A-Za-z0-9+/]++=*+[ \t]*+\r?(?:\n|\Z)")
UUENCODED = re.compile(rb"(?:\A|\n)begin [0-7]{3,4} [^\n]*\n")
AS_IT_IS = frozenset({"", "7bit", "8bit", "binary", "7-bit", "8-bit", "none"})


@dataclass(slots=True)
class Part:
    """A part: its headers, and its content as a place in *raw* (decoded bytes have their own)."""

    path: str
    fields: headers.Fields
    media_type: str
    parameters: dict[str, str]
    raw: bytes
    start: int
    end: int
    children: list[Part] = field(default_factory=list)

    @property
    def is_letter(self) -> bool:
        """Whether it is a letter inside the letter, its child the letter's own content."""
        return self.media_type in LETTERS and bool(self.children)

    def walk(self) -> Iterator[Part]:
        """This part and those below it; not the inside of letters inside."""
        yield self
        if not self.is_letter:
            for child in self.children:
                yield from child.walk()

    def leaves(self) -> Iterator[Part]:
        """The parts without parts, letters inside among them, in their order."""
        return (part for part in self.walk() if not part.children or part.is_letter)


@dataclass(slots=True)
class _Growth:
    """What is left of the limits while a tree grows, and the faults found.

    *room* is for the bytes of letters inside that are encoded, which no standard allows and some
    programs do: one in one in one must not be 50 copies.
    """

    faults: set[Fault]
    room: int
    left: int = MOST_PARTS


def tree(raw: bytes, faults: set[Fault]) -> Part:
    """The parts of the letter in *raw*, whatever it holds."""
    return _letter(raw, 0, len(raw), "", 0, _Growth(faults, room=2 * len(raw)))


def find(root: Part, path: str) -> Part | None:
    """The leaf with this *path*, letters inside searched as well; None where there is none."""
    for part in root.leaves():
        if part.path == path:
            return part
        if part.is_letter and (found := find(part.children[0], path)):
            return found
    return None


def _letter(raw: bytes, start: int, end: int, path: str, depth: int, growth: _Growth) -> Part:
    """A letter that lies at *path*: its parts are below, its text too where it has no parts."""
    part = _read(raw, start, end, growth.faults, "text/plain")
    is_multipart = part.media_type.startswith("multipart/")
    part.path = path if is_multipart else _below(path, 1)
    _open(part, depth, growth)
    if not part.children:
        part.path = _below(path, 1)
    return part


def _read(raw: bytes, start: int, end: int, faults: set[Fault], usual: str) -> Part:
    fields, body = headers.block(raw, start, end, faults)
    content = headers.value(headers.first(fields, "content-type"), faults)
    media_type = content.main if "/" in content.main else usual
    return Part("", fields, media_type, content.parameters, raw, body, end)


def _below(path: str, index: int) -> str:
    return f"{path}.{index}" if path else str(index)


def _open(part: Part, depth: int, growth: _Growth) -> None:
    is_multipart = part.media_type.startswith("multipart/")
    if not is_multipart and part.media_type not in LETTERS:
        return
    if depth >= DEEPEST:
        growth.faults.add(Fault.TOO_DEEP)
    elif is_multipart:
        _split(part, depth, growth)
    elif growth.left > 0:
        growth.left -= 1
        _open_letter(part, depth, growth)
    else:
        growth.faults.add(Fault.PARTS_TOO_MANY)


def _open_letter(part: Part, depth: int, growth: _Growth) -> None:
    """The letter that *part* holds: where it stands, or decoded while there is room for that."""
    raw, start, end = part.raw, part.start, part.end
    if encoding(part) not in AS_IT_IS:
        growth.room -= end - start
        if growth.room < 0:
            growth.faults.add(Fault.TOO_DEEP)
            return
        raw = payload(part, growth.faults)
        start, end = 0, len(raw)
    part.children = [_letter(raw, start, end, part.path, depth + 1, growth)]


def _split(part: Part, depth: int, growth: _Growth) -> None:
    spans = _spans(part, part.parameters.get("boundary", "").encode("utf-8", "replace"), growth)
    if not spans:
        growth.faults.add(Fault.MULTIPART_BROKEN)
        spans = _spans(part, _boundary_there(part), growth)
    if not spans:
        part.media_type = "text/plain"
    usual = "message/rfc822" if part.media_type == "multipart/digest" else "text/plain"
    for index, (start, end) in enumerate(spans, 1):
        child = _read(part.raw, start, end, growth.faults, usual)
        child.path = _below(part.path, index)
        _open(child, depth + 1, growth)
        part.children.append(child)


def _boundary_there(part: Part) -> bytes:
    """The delimiter that stands in the content, whatever the header says."""
    found = LIKE_A_BOUNDARY.search(part.raw, max(0, part.start - 1), part.end)
    return found[1] if found else b""


def _spans(part: Part, boundary: bytes, growth: _Growth) -> list[tuple[int, int]]:
    """Where the parts between the delimiters lie."""
    spans: list[tuple[int, int]] = []
    opened = -1
    for at, after, is_last in _delimiters(part, boundary):
        if opened >= 0:
            spans.append((opened, _line_end(part.raw, opened, at)))
        if is_last:
            return spans
        if growth.left <= 0:
            growth.faults.add(Fault.PARTS_TOO_MANY)
            return spans
        growth.left -= 1
        opened = after
    if opened >= 0:
        growth.faults.add(Fault.MULTIPART_UNENDED)
        spans.append((opened, part.end))
    return spans


def _delimiters(part: Part, boundary: bytes) -> Iterator[tuple[int, int, bool]]:
    """Each delimiter line: where it begins, where what follows begins, whether it is the last."""
    mark = b"--" + boundary
    at = part.raw.find(mark, part.start, part.end) if boundary else -1
    while at >= 0:
        is_first = at == part.start or part.raw[at - 1] == 10
        found = CLOSING.match(part.raw, at + len(mark), part.end) if is_first else None
        if found:
            yield at, found.end(), found[1] is not None
            later = found.end()
        else:
            later = part.raw.find(b"\n", at, part.end) + 1 or part.end
        at = part.raw.find(mark, later, part.end)


def _line_end(raw: bytes, start: int, at: int) -> int:
    """Where the line before *at* ends: its line break belongs to the delimiter."""
    end = at - 1 if at > start and raw[at - 1] == 10 else at
    return end - 1 if end > start and raw[end - 1] == 13 else end


def encoding(part: Part) -> str:
    """The transfer encoding that *part* claims, in lower case."""
    said = headers.first(part.fields, "content-transfer-encoding")[:100]
    return said.decode("ascii", "replace").partition(";")[0].strip(" \t\"'").lower()


def payload(part: Part, faults: set[Fault], most: int | None = None) -> bytes:
    """The content of *part*, its transfer encoding undone; of the first *most* bytes."""
    end = part.end if most is None else min(part.end, part.start + most)
    raw = part.raw[part.start : end]
    match encoding(part):
        case "quoted-printable":
            return binascii.a2b_qp(raw)
        case "base64" if FIRST_LINE.match(raw) or not raw.strip():
            return headers.base64(raw)
        case "base64":
            faults.add(Fault.ENCODING_WRONG)
        case "x-uuencode" | "uuencode" | "x-uue":
            return _uudecoded(raw, faults)
        case said if said not in AS_IT_IS:
            faults.add(Fault.ENCODING_UNKNOWN)
    return raw


def _uudecoded(raw: bytes, faults: set[Fault]) -> bytes:
    begin = UUENCODED.search(raw)
    lines = raw[begin.end() if begin else 0 :].splitlines()
    decoded: list[bytes] = []
    for line in lines:
        if line.strip() == b"end":
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            faults.add(Fault.ENCODING_WRONG)
    return b"".join(decoded)
