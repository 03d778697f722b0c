"""Who is named in From, To and their like. Pure.

The structure is read first and encoded words are decoded afterwards: what a name hides can never
become an address (`"=?utf-8?q?a=40b=2C?= <evil@x>"` is one address with an odd name).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.transport import headers
from core.transport.letter import Address

if TYPE_CHECKING:
    from core.transport.faults import Fault

LONGEST_ADDRESS = 320
"""RFC 5321: 64 characters, an @, 255 characters."""

LONGEST_NAME = 320
"""Characters of a name up to which it may go on after a comma: else 30,000 commas behind one are
looked at 30,000 times."""

TOKEN = re.compile(
    r'(?P<word>=\?[^?\s]{1,80}\?[bBqQ]\?[^?]*+\?=)|"(?P<quoted>(?:[^"\\]|\\.)*+)"?'
    r"|<(?P<angle>[^<>]*+)>?|\((?P<comment>(?:[^()]|\([^()]*+\))*+)\)|(?P<end>[,;])|(?P<group>:)"
    r'|(?P<atom>[^\s"<(,;:]++)|(?P<space>\s++)|(?P<other>.)'
)
UNFIT = re.compile("[\x00-\x20\x7f-\x9f<>\u2028\u2029\ud800-\udfff]+")


class _Reading:
    """The address that is being read, and those before it."""

    def __init__(self, faults: set[Fault]) -> None:
        self.faults = faults
        self.found: list[Address] = []
        self.phrase = ""
        self.comment = ""
        self.angle: str | None = None

    def take(self, kind: str, content: str) -> None:
        if kind == "angle":
            self.angle = content
        elif kind == "comment":
            self.comment = self.comment or content
        elif kind == "end":
            self.finish(content)
        elif kind == "group" and "@" not in self.phrase:
            self.phrase = ""
        elif self.angle is None:
            self.phrase += re.sub(r"\\(.)", r"\1", content) if kind == "quoted" else content

    def finish(self, separator: str = "") -> None:
        """Keep the address that ends here; a name with a comma in it goes on after it."""
        phrase = self.phrase.strip()
        said = phrase if self.angle is None else self.angle
        address = cleaned(said) if self.angle is not None or "@" in said else ""
        if self.angle is None and "@" not in address:
            goes_on = separator == "," and 0 < len(phrase) <= LONGEST_NAME
            self.phrase = f"{phrase}{separator} " if goes_on else ""
            return
        name = phrase if self.angle is not None else self.comment
        if address:
            self.found.append(Address(" ".join(headers.shown(name, self.faults).split()), address))
        self.phrase, self.comment, self.angle = "", "", None


def cleaned(said: str) -> str:
    """*said* as an address, its domain in lower case; empty where it cannot be one."""
    address = UNFIT.sub("", said)
    if len(address) > LONGEST_ADDRESS:
        return ""
    local, at, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}" if at and local and domain else address.strip("@")


def read(value: str, faults: set[Fault]) -> tuple[Address, ...]:
    """The addresses in *value*, a header with its encoded words as they stand."""
    reading = _Reading(faults)
    for token in TOKEN.finditer(value):
        kind = token.lastgroup or "other"
        reading.take(kind, token[kind])
    last = reading.phrase.strip(", ")
    reading.finish()
    if not reading.found and last and " " not in last:
        return (Address("", cleaned(last)),) if cleaned(last) else ()
    return tuple(reading.found)
