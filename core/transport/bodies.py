"""Which parts of a letter a person reads, and which are files. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from core.transport import charsets, headers, markup, parts, reports
from core.transport.faults import Fault
from core.transport.letter import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_TEXT = 1_000_000
"""Characters of a letter's text: more than any person wrote; what is longer was made to harm."""

WIDEST = 4
"""Bytes that a character has at most, in text as it travels (base64 and quoted-printable have less
or as many for all that is not made to harm)."""

LONGEST_NAME = 200

READ_BY_NOBODY = frozenset({"text/x-amp-html", "text/watch-html", "text/enriched", "text/richtext"})
"""Other forms of the same text, beside the ones that are read."""

ENDINGS = {
    "text/calendar": ".ics", "application/ics": ".ics", "application/pkcs7-mime": ".p7m",
    "application/x-pkcs7-mime": ".p7m", "application/pkcs7-signature": ".p7s",
    "application/x-pkcs7-signature": ".p7s", "application/ms-tnef": ".dat",
    "application/vnd.ms-tnef": ".dat", "application/pgp-signature": ".asc",
    "application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif",
    "message/rfc822": ".eml", "text/plain": ".txt", "text/html": ".html",
}  # fmt: skip
"""Endings of files that came without a name."""

CID = re.compile(r"""cid:([^"'\s<>)]{1,300})""", re.IGNORECASE)


@dataclass(slots=True)
class Body:
    """One thing to read: the same words as plain text and as HTML, or one of them."""

    plain: list[parts.Part] = field(default_factory=list)
    html: list[parts.Part] = field(default_factory=list)


def bodies(part: parts.Part) -> list[Body]:
    """What there is to read in *part*, in its order."""
    if part.is_letter:
        return []
    if part.children:
        below = [body for child in part.children for body in bodies(child)]
        if part.media_type != "multipart/alternative" or len(below) < 2:
            return below
        return [Body([p for b in below for p in b.plain], [p for b in below for p in b.html])]
    if part.media_type not in {"text/plain", "text/html"} or is_attached(part):
        return []
    return [Body([part])] if part.media_type == "text/plain" else [Body([], [part])]


def is_attached(part: parts.Part) -> bool:
    """Whether the sender meant *part* as a file: it says so, or it has a name."""
    kind, name = _disposition(part)
    return kind == "attachment" or bool(name)


def _disposition(part: parts.Part) -> tuple[str, str]:
    ignored = set[Fault]()
    said = headers.value(headers.first(part.fields, "content-disposition"), ignored)
    return said.main, said.parameters.get("filename", "") or part.parameters.get("name", "")


def read(part: parts.Part, faults: set[Fault]) -> tuple[str, str | None, list[parts.Part]]:
    """The text, the HTML where there is some, and the parts that both were read from."""
    found = bodies(part)
    texts: list[str] = []
    htmls: list[str] = []
    left = LONGEST_TEXT
    for body in found:
        html = "\n".join(_texts(body.html, left, faults))
        plain = "\n".join(_texts(body.plain, left, faults))
        if html:
            htmls.append(html)
        texts.append(plain if plain.strip() or not html else _from_html(html, faults))
        left = max(0, left - len(plain) - len(html))
    text = "\n\n".join(said.strip("\n") for said in texts if said.strip())
    used = [part for body in found for part in (*body.plain, *body.html)]
    return text, "\n".join(htmls) or None, used


def _from_html(html: str, faults: set[Fault]) -> str:
    if markup.is_long(html):
        faults.add(Fault.TEXT_TOO_LONG)
    return markup.text(html)


def _texts(found: Iterable[parts.Part], left: int, faults: set[Fault]) -> Iterator[str]:
    for part in found:
        if part.end - part.start > WIDEST * left:
            faults.add(Fault.TEXT_TOO_LONG)
        raw = parts.payload(part, faults, WIDEST * left)
        said = charsets.decoded(raw, part.parameters.get("charset", ""), faults)
        if len(said) > left:
            faults.add(Fault.TEXT_TOO_LONG)
            said = said[:left]
        left -= len(said)
        yield said.replace("\r\n", "\n").replace("\r", "\n")


def files(
    root: parts.Part, used: list[parts.Part], html: str | None, faults: set[Fault]
) -> Iterator[File]:
    """What else the letter holds: all leaves that are neither read nor written for programs."""
    seen = {part.path for part in used}
    shown = {unquote(cid) for cid in CID.findall(html)} if html and "cid:" in html else set[str]()
    for part in root.leaves():
        if part.path in seen or part.is_letter or part.media_type in reports.MACHINES:
            continue
        if part.media_type in READ_BY_NOBODY and not is_attached(part):
            continue
        yield _file(part, shown, faults)


def _file(part: parts.Part, shown: set[str], faults: set[Fault]) -> File:
    cid = headers.first(part.fields, "content-id").decode("ascii", "replace").strip(" <>")
    size = part.end - part.start
    if parts.encoding(part) not in parts.AS_IT_IS:
        size = len(parts.payload(part, faults))
    _, name = _disposition(part)
    name = safe_name(name) or f"part-{part.path}{ENDINGS.get(part.media_type, '')}"
    return File(part.path, name, part.media_type[:200], size, is_inline=cid in shown)


def safe_name(name: str) -> str:
    """*name* as a file of any system may be called: no folders, no signs that turn it round."""
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(c for c in last if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    return visible.strip(". ")[:LONGEST_NAME]
