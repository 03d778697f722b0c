"""XML of the Trading API as plain content: texts, and elements by name. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from defusedxml import ElementTree as Safe
from defusedxml.common import DefusedXmlException

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SEVERAL = frozenset({"Errors", "MemberMessageExchange", "Response", "MessageMedia", "Message"})
"""The names of which there may be several: always a list, where there is one too."""

DEEPEST = 30

UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold."""


class Unreadable(ValueError):
    """Bytes are not the XML that they should be; they are in *raw*."""

    def __init__(self, raw: bytes) -> None:
        super().__init__("no XML as it should be")
        self.raw = raw


def read(raw: bytes, name: str) -> dict[str, Any]:
    """What the root, which must be called *name*, holds. No entity is followed.

    Raises:
        Unreadable: it is no XML, or something else.
    """
    try:
        root: Element = Safe.fromstring(raw, forbid_dtd=True)
    except (Safe.ParseError, DefusedXmlException, ValueError, RecursionError):
        raise Unreadable(raw) from None
    content = _content(root, DEEPEST)
    if _name(root) != name or not isinstance(content, dict):
        raise Unreadable(raw)
    return content


def fit(text: str) -> str:
    """*text* without what XML cannot hold."""
    return UNFIT.sub("\ufffd", text)


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _content(element: Element, depth: int) -> dict[str, Any] | str:
    if not len(element) or not depth:
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        name, content = _name(child), _content(child, depth - 1)
        if name in SEVERAL:
            found.setdefault(name, []).append(content)
        else:
            found[name] = content
    return found
