"""A letter's header lines: from its bytes to names, texts and parameters. Pure.

The standard library's reader takes these lines one way in its compatible policy and raises in its
strict one (a malformed Message-ID, for one), and looks a name up by walking through all of them;
here the bytes are split once, and nothing that stands in them can raise.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from core.transport import charsets
from core.transport.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_HEADERS = 1_000
"""A letter over many servers and lists has about a hundred."""

LONGEST_HEADER = 32_768
"""Bytes: References of a very long conversation have about this; servers cut at 100 kB or less."""

MOST_BYTES = 1_000_000
"""Of all headers together: large servers refuse a letter at 256 to 512 kB of them."""

FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)")
BLANK = re.compile(rb"\r?\n")
BLANK_LINE = re.compile(rb"\n\r?\n")
WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?")
HEX = re.compile("[0-9A-Fa-f]{2}")
CONTROL = re.compile("[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")
PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;]*+))')
IDENTITY = re.compile(rb"<([^<>]*+)>")
UNFIT_ID = re.compile("[\x00-\x20\x7f-\x9f<>]+")
MEDIA_TYPE = re.compile(r"\s*+([\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100})")

NOTED = frozenset({
    "authentication-results", "arc-authentication-results", "delivered-to", "envelope-to",
    "received", "received-spf", "return-path", "x-envelope-to", "x-original-to", "x-received",
})  # fmt: skip
"""What servers put before a letter: its first line, if it is no header, does not go on with that.
Else its writer would say what they found out about him."""

Fields = dict[str, list[bytes]]
"""Raw values, unfolded, by names in lower case, in their order."""


class Block(NamedTuple):
    """The header lines of a letter or a part, and where what they describe begins."""

    fields: Fields
    body: int


def block(raw: bytes, start: int, end: int, faults: set[Fault]) -> Block:
    """The header lines of ``raw[start:end]``."""
    fields: Fields = {}
    at = _after_postmark(raw, start, end)
    name, last = "", None
    count = size = 0
    while at < end and not BLANK.match(raw, at, end):
        found = FIELD.match(raw, at, end)
        if found is None:
            junk = _junk(raw, at, end)
            faults.add(Fault.HEADERS_BROKEN if last else Fault.HEADERS_MISSING)
            if last is None or junk is None:
                return Block(fields, at)
            if name not in NOTED:
                last[-1] += b" " + raw[at:junk].strip()[:LONGEST_HEADER]
            at = junk
            continue
        if count == MOST_HEADERS or size > MOST_BYTES:
            faults.add(Fault.HEADERS_TOO_MANY)
            return Block(fields, _after_blank(raw, at, end))
        name = found[1].decode("ascii").lower()
        last = fields.setdefault(name, [])
        last.append(_unfolded(found[2], faults))
        at = found.end()
        count += 1
        size += len(last[-1])
    blank = BLANK.match(raw, at, end)
    return Block(fields, blank.end() if blank else end)


def _after_postmark(raw: bytes, start: int, end: int) -> int:
    """Where the headers begin: a mailbox file puts a line of its own before them."""
    later = raw.find(b"\n", start, end) + 1
    is_postmark = later and raw.startswith((b"From ", b">From "), start, end)
    return later if is_postmark and FIELD.match(raw, later, end) else start


def _after_blank(raw: bytes, start: int, end: int) -> int:
    blank = BLANK_LINE.search(raw, start, end)
    return blank.end() if blank else end


def _junk(raw: bytes, at: int, end: int) -> int | None:
    """Where the line after this odd one begins, if headers go on there."""
    later = raw.find(b"\n", at, end) + 1
    return later if later and FIELD.match(raw, later, end) else None


def _unfolded(value: bytes, faults: set[Fault]) -> bytes:
    value = value.strip()
    if len(value) > LONGEST_HEADER:
        faults.add(Fault.HEADER_TOO_LONG)
        value = value[:LONGEST_HEADER]
    return value.replace(b"\r", b"").replace(b"\n", b"")


def first(fields: Fields, name: str) -> bytes:
    """The first raw value of *name* (lower case), empty where there is none."""
    return next(iter(fields.get(name, ())), b"")


def text(value: bytes, label: str, faults: set[Fault]) -> str:
    """*value* as a person reads it, on one line; *label* is the charset of its 8-bit bytes."""
    return shown(bare(value, label), faults)


def bare(value: bytes, label: str) -> str:
    """*value* as text with its encoded words as they stand: what may be taken apart."""
    if value.isascii():
        return value.decode("ascii")
    ignored = set[Fault]()  # the label is a guess of ours: it was given for the text
    return charsets.decoded(value, label, ignored)


def shown(value: str, faults: set[Fault]) -> str:
    """*value* with its encoded words decoded: one line, whatever they hide."""
    if "=?" in value:
        value = "".join(_decoded_words(value, faults))
    return one_line(value)


def one_line(value: str) -> str:
    """*value* without line breaks and other signs that no header may hold."""
    return CONTROL.sub(" ", value) if CONTROL.search(value) else value


def identity(value: bytes) -> str:
    """The first message's id in *value*, without brackets; empty where there is none."""
    found = IDENTITY.search(value)
    said = found[1] if found else value
    return UNFIT_ID.sub("", said.decode("utf-8", "replace"))


class _Word(NamedTuple):
    label: str
    kind: str
    payload: str
    start: int
    end: int


def _words(value: str) -> Iterator[_Word]:
    """Each encoded word (RFC 2047): spaces and question marks inside are forgiven."""
    at = 0
    while opening := WORD.search(value, at):
        end = value.find("?=", opening.end())
        if end < 0:
            return
        if opening[2] in "qQ" and HEX.match(value, end + 2):  # a bare "?" before an encoded byte
            end = max(end, value.find("?=", end + 2))
        label = opening[1].partition("*")[0]
        yield _Word(label, opening[2].lower(), value[opening.end() : end], opening.start(), end + 2)
        at = end + 2


def _decoded_words(value: str, faults: set[Fault]) -> Iterator[str]:
    """The pieces of *value*: neighbouring words are one text, cut even inside a character."""
    at = 0
    run: list[_Word] = []
    for word in _words(value):
        between = value[at : word.start]
        if run and (between.strip() or run[-1].label.lower() != word.label.lower()):
            yield _joined(run, faults)
            run = []
        if not run and (at == 0 or between.strip()):
            yield between
        run.append(word)
        at = word.end
    if run:
        yield _joined(run, faults)
    yield value[at:]


def _joined(run: list[_Word], faults: set[Fault]) -> str:
    held = ""
    pieces: list[bytes] = []
    for word in run:
        if word.kind == "b" and not word.payload.rstrip().endswith("="):
            held += word.payload  # base64 may be cut inside its groups of four as well
            continue
        pieces.append(_bytes(word.kind, held + word.payload) if word.kind == "b" else
                      _bytes("b", held) + _bytes("q", word.payload))  # fmt: skip
        held = ""
    raw = b"".join([*pieces, _bytes("b", held)])
    return charsets.decoded(raw, run[0].label, faults)


def _bytes(kind: str, payload: str) -> bytes:
    raw = payload.encode("utf-8", "replace")
    if kind == "q":
        return binascii.a2b_qp(raw, header=True)
    return base64(raw)


def base64(raw: bytes) -> bytes:
    """What *raw* says in base64, as far as it can be read."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        return binascii.a2b_base64(letters[: len(letters) // 4 * 4] + _last_group(letters))


def _last_group(letters: bytes) -> bytes:
    rest = letters[len(letters) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


class Value(NamedTuple):
    """A structured value: ``text/plain; charset=utf-8``. Names and *main* are in lower case."""

    main: str
    parameters: dict[str, str]


def value(raw: bytes, faults: set[Fault]) -> Value:
    """*raw* with its parameters, the continued and the encoded ones (RFC 2231) put together."""
    said = bare(raw, "")
    parameters: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for found in PARAMETER.finditer(said):
        name, star, section = found[1].lower().partition("*")
        content = found[3].strip() if found[2] is None else re.sub(r"\\(.)", r"\1", found[2])
        if star:
            index = section.rstrip("*")
            place = int(index) if index.isdecimal() and len(index) < 5 else 0
            pieces.setdefault(name, {}).setdefault(place, (content, found[1].endswith("*")))
        else:
            parameters.setdefault(name, shown(content, faults))
    for name, sections in pieces.items():
        parameters[name] = CONTROL.sub(" ", _continued(sections, faults))
    media_type = MEDIA_TYPE.match(said)
    main = media_type[1] if media_type else re.split(r"[;\s]", said.strip(), maxsplit=1)[0]
    return Value(main.lower(), parameters)


def _continued(sections: dict[int, tuple[str, bool]], faults: set[Fault]) -> str:
    """The sections in their order; the first says the charset of those that are encoded."""
    label = ""
    raw = b""
    for index, (place, (content, is_encoded)) in enumerate(sorted(sections.items())):
        if place != index:
            break
        if index == 0 and is_encoded and content.count("'") >= 2:
            label, _, content = content.split("'", 2)  # noqa: PLW2901  # the charset stands before it
        raw += unquote_to_bytes(content) if is_encoded else content.encode("utf-8", "replace")
    return charsets.decoded(raw, label or "utf-8", faults)
