"""Subjects: what those of one conversation have in common, and the one of an answer. Pure.

Mail programs put their own word before the subject of what is answered or passed on, each in its
user's language (RFC 5256, 2.1, knows the English ones alone).
"""

from __future__ import annotations

import re

from core.model import MAX_LINE

_PREFIXES = re.compile(
    r"\s*+(?:(?:re|aw|antw|sv|vs|odp|atb|ynt|bls|res|rif|rép|ref|fwd?|wg|tr|rv|enc|vl|pd|i|r"
    r"|회신|답장|전달|回复|回覆|答复|转发|轉寄|返信|転送)"
    r"\s*+(?:\[\d{1,3}\])?\s*+[:\uff1a]\s*+)+",
    re.IGNORECASE,
)
_PASSED_ON = re.compile(
    r"\s*+(?:fwd?|wg|tr|rv|enc|vl|pd|i|전달|转发|轉寄|転送)\s*+(?:\[\d{1,3}\])?\s*+[:\uff1a]",
    re.IGNORECASE,
)


def bare(subject: str) -> str:
    """*subject* without the words that mail programs put before it."""
    subject = subject[:MAX_LINE]
    found = _PREFIXES.match(subject)
    return subject[found.end() :] if found else subject


def answers(subject: str) -> bool:
    """Whether a mail program put its word before *subject*: it answers or passes on."""
    return _PREFIXES.match(subject[:MAX_LINE]) is not None


def passes_on(subject: str) -> bool:
    """Whether the first word before *subject* says that the letter is passed on."""
    return _PASSED_ON.match(subject[:MAX_LINE]) is not None


def answering(asked: str) -> str:
    """``Re:`` once, and the subject of what is answered."""
    return asked if asked[:3].lower() == "re:" else f"Re: {asked}"[:MAX_LINE]
