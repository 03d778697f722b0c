"""The letters of somebody else's text, so that they show what they are and do nothing beside. Pure.

What is not shown as it came:

- control characters stand as their pictures, NUL as U+2400; other ends of lines become plain ones;
- controls that turn the direction of a text round (U+202A to E, U+2066 to 9) stand as their names;
  marks of direction and joiners, which Arabic, Persian and emoji need, stay, one at a time;
- what has no width and no such use (U+200B, U+FEFF, tags, fillers ...) is left out, and counted;
- of more than `MOST_MARKS` marks on one letter the rest is left out, and counted;
- half a surrogate pair stands as U+FFFD.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_MARKS = 6
"""Marks on one letter: a Hebrew one has up to four, a Tibetan one seldom more."""
LONGEST_LINE = 300
"""Characters of a subject, a name and the like; the end of a longer one is left out."""

BREAKS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_TURNS: Final = {
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI",
}  # fmt: skip
_PICTURES: Final = {code: chr(0x2400 + code) for code in range(0x20) if code not in (9, 10)}
_SHOWN: Mapping[int, str] = {
    **_PICTURES,
    0x7F: "\u2421",
    **dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000)), "\ufffd"),
    **{ord(sign): f"\u2039{name}\u203a" for sign, name in _TURNS.items()},
}
_STRANGE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)  # fmt: skip
# Soft hyphen, fillers, zero-width space and joiner of words, invisible signs of mathematics, old
# controls of shaping, byte order mark, annotations, tags.
_UNSEEN = re.compile(
    "[\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    "\U000e01f0-\U000e0fff]+"
)
_JOINERS = "\u061c\u200c-\u200f"
_JOINED = re.compile(f"([{_JOINERS}])[{_JOINERS}]+")
_EMPTY = re.compile(rf"[\s{_JOINERS}\u2800]*+")


class Lettered(NamedTuple):
    """A text as it may be shown, and how many of its characters are *left_out*."""

    text: str
    left_out: int


def letters(text: str) -> Lettered:
    """*text* as it may be shown; tabs stay, and line breaks as LF."""
    if text.isascii() and text.isprintable():
        return Lettered(text, 0)
    broken = BREAKS.sub("\n", text)
    seen = _bounded(_JOINED.sub(r"\1", _UNSEEN.sub("", broken)))
    left_out = len(broken) - len(seen)
    return Lettered(seen.translate(_SHOWN) if _STRANGE.search(seen) else seen, left_out)


def line(text: str | None, longest: int = LONGEST_LINE) -> str:
    """*text* in one line of at most *longest* characters; empty where nothing is to be seen."""
    said = " ".join(letters(text or "").text.split())
    if is_blank(said):
        return ""
    return said if len(said) <= longest else f"{said[: longest - 1]}\u2026"


def is_blank(text: str) -> bool:
    """Whether nothing of *text* is to be seen."""
    return _EMPTY.fullmatch(text) is not None


def _bounded(text: str) -> str:
    """*text* with so many marks on a letter as fit there."""
    if text.isascii() or max(text) < "\u0300":
        return text
    return _stacks().sub(lambda found: found[0][:MOST_MARKS], text)


@lru_cache(maxsize=1)
def _stacks() -> re.Pattern[str]:
    """More marks than fit on a letter, joiners between them or not."""
    marks = (code for code in range(0x300, 0xE01F0) if unicodedata.category(chr(code)) in _MARKS)
    return re.compile(f"[{_JOINERS}{''.join(_ranges(marks))}]{{{MOST_MARKS + 1},}}")


def _ranges(codes: Iterable[int]) -> Iterable[str]:
    """*codes*, which rise, as they stand in a class of characters."""
    for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0]):
        same = [code for _, code in run]
        yield f"{chr(same[0])}-{chr(same[-1])}"


_MARKS = frozenset({"Mn", "Me"})
