"""Whether a text names a member: by which words an id is found, and what is left without it. Pure.

An id is compared by `str.casefold`, whole: as a value it is the same, or it is not; in a text it
stands for itself, as words of its own.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections import defaultdict
from functools import cached_property
from html import unescape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

INSTEAD = "[erased]"
SHORTEST = 4
"""An id of fewer characters stands in texts by chance: it is compared with whole values alone."""

BETWEEN = "\x1f"
"""What stands between values that are looked through together."""
ALONE = frozenset({"", '"', "'", ">", "<", BETWEEN})
"""What stands before and after a value in JSON, XML and HTML."""

PIECE = re.compile(r"\w+")
_WORD = re.compile(r"[^\W\d_]+\d*|\d+")
_SIGNS = re.compile(r"[\W_]+")
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_WRAPPED = re.compile(r"=\r?\n")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{40,}\s*)+[A-Za-z0-9+/]*={0,2}")
_QUOTED = re.compile(r"=([0-9A-F]{2})")
_CONTROLS = bytes(n for n in (*range(32), 127) if n not in b"\t\n\f\r\x1b")
_CODING = bytes.maketrans(b"%&\\", b"   ")


class Shape(NamedTuple):
    """How an id stands in a text: its first word, how many it has, and signs around these."""

    head: str
    pieces: int
    lead: int
    tail: int


Shapes = dict[str, list[Shape]]


class Span(NamedTuple):
    """Where in a text an *id* stands."""

    start: int
    end: int
    id: str


def folded(value: str) -> str:
    """*value* as ids are compared."""
    return value.strip().casefold()


def shape(id_: str) -> Shape | None:
    """How the folded *id_* stands in a text; None where it is looked for in none."""
    found = list(PIECE.finditer(id_))
    if len(id_) < SHORTEST or not found:
        return None
    return Shape(found[0][0], len(found), found[0].start(), len(id_) - found[-1].end())


def is_plain(id_: str) -> bool:
    """Whether *id_* is of letters or of digits alone: a word or a number that many texts have."""
    return id_.isalpha() or id_.isdigit()


def is_word(id_: str) -> bool:
    """Whether *id_* is a word, a number, or a word with a number at its end: *iphone13*."""
    return _WORD.fullmatch(id_) is not None


def is_name(id_: str) -> bool:
    """Whether *id_* is words joined by signs, as goods are called too (*t-shirt*): no code."""
    return not {"+", "/", "="} & set(id_) and all(map(is_word, filter(None, _SIGNS.split(id_))))


def keys(buyer: str, reply_to: Mapping[str, str]) -> list[str]:
    """What a thread may be known to be somebody's by: its buyer, and what is needed to answer.

    Not the words and numbers among that, which connectors put there (a type, a listing): whoever
    calls themselves so is no owner of all threads.
    """
    told = (value for value in reply_to.values() if not is_plain(value.replace("_", "")))
    return [value for value in (buyer, *told) if value]


def heads(text: str) -> set[str]:
    """Every word with which an id may begin that stands in *text*, folded."""
    return set(PIECE.findall(text.casefold()))


def by_head(shapes: Iterable[Shape]) -> Shapes:
    """*shapes* by the word with which each begins: made once for many texts."""
    found: defaultdict[str, list[Shape]] = defaultdict(list)
    for one in shapes:
        found[one.head].append(one)
    return dict(found)


def candidates(text: str, shapes: Shapes) -> Iterator[Span]:
    """Where in *text* something of one of these *shapes* stands."""
    if shapes.keys().isdisjoint(heads(text)):
        return
    found = [match.span() for match in PIECE.finditer(text)]
    for place, (begin, until) in enumerate(found):
        for one in shapes.get(text[begin:until].casefold(), ()):
            if place + one.pieces <= len(found) and begin >= one.lead:
                start, end = begin - one.lead, found[place + one.pieces - 1][1] + one.tail
                yield Span(start, end, text[start:end].casefold())


class Names:
    """The ids of members, as they are looked for.

    What is *common*, and of *strangers* whatever is words, names somebody only where it stands
    alone, as a value: in a sentence it is what everybody writes.
    """

    def __init__(
        self,
        ids: Iterable[str],
        strangers: Iterable[str] = (),
        common: Callable[[str], bool] = is_word,
    ) -> None:
        known, others = set(map(folded, ids)), set(map(folded, strangers))
        self.ids = frozenset((known | others) - {""})
        self._known = frozenset(known)
        self._words = frozenset({*filter(common, known), *filter(is_name, others - known)})
        self._shapes = by_head({one for id_ in self.ids if (one := shape(id_)) is not None})

    @cached_property
    def in_sentences(self) -> Names:
        """Those that name somebody in a sentence too: for what people write to each other."""
        return Names(self.ids - self._words)

    @cached_property
    def in_notices(self) -> Names:
        """Those that name somebody in a sentence of the marketplace's own.

        Whom it tells of there it calls by their name, though it be a word: of whoever had a thread
        here it is one, but for a number, which may be any.
        """
        return Names(
            (self.ids - self._words) | {id_ for id_ in self._known if not id_.isdigit()},
            common=str.isdigit,
        )

    def __bool__(self) -> bool:
        return bool(self.ids)

    def same(self, value: str) -> str | None:
        """The id that *value* is; None where it is none."""
        id_ = folded(value)
        return id_ if id_ in self.ids else None

    def spans(self, text: str) -> list[Span]:
        """Where *text* names a member, in order; of what overlaps, the longest."""
        if not self._shapes:
            return []
        found = [
            one
            for one in candidates(text, self._shapes)
            if one.id in self.ids and (one.id not in self._words or _is_alone(text, one))
        ]
        found.sort(key=lambda one: (one.start, -one.end))
        kept: list[Span] = []
        for one in found:
            if not kept or one.start >= kept[-1].end:
                kept.append(one)
        return kept

    def named(self, text: str) -> frozenset[str]:
        """The ids that *text* names, however they are written in it."""
        return frozenset(one.id for way in ways(text) for one in self.spans(way))

    def without(self, text: str) -> str:
        """*text* with a word in the place of each id; nothing where an id is hidden in its code."""
        parts, last = [], 0
        for one in self.spans(text):
            parts += [text[last : one.start], INSTEAD]
            last = one.end
        rest = "".join((*parts, text[last:])) if parts else text
        return "" if self.named(rest) else rest


def _is_alone(text: str, span: Span) -> bool:
    """Whether it is a whole value; the name of a field is none."""
    before, after = text[span.start - 1 : span.start], text[span.end : span.end + 1]
    is_field = after in {'"', "'"} and text[span.end + 1 : span.end + 3].lstrip().startswith(":")
    return (span.start == 0 or before in ALONE) and after in ALONE and not is_field


def ways(text: str) -> Iterator[str]:
    """*text* as it stands, and as HTML, JSON, an address or a letter would have it read."""
    yield text
    if "&" in text:
        yield unescape(text)
    if "\\" in text:
        plain = _ESCAPED.sub(_unescaped, text)
        yield plain
        if "&" in plain:
            yield unescape(plain)
    if "%" in text:
        yield unquote(text)
    if "=" in text and (_WRAPPED.search(text) or _QUOTED.search(text)):
        yield _QUOTED.sub(_unquoted, _WRAPPED.sub("", text))


def read(raw: bytes) -> str:
    """*raw* as text, with what stands in it as base64 at its end, wherever its part begins.

    In bytes that are no text no sign codes another: they are read as they stand, once.
    """
    text = _text(raw)
    blocks = ["".join(block[0].split()) for block in _BASE64.finditer(text)]
    return BETWEEN.join((text, *(each for block in blocks for each in _hidden(block))))


def _hidden(block: str) -> Iterator[str]:
    """What base64 says; as from its second, third and fourth sign on where that is text."""
    for skipped in range(4):
        said = _decoded(block[skipped:])
        if not skipped or is_text(said):
            yield _text(said)


def is_text(raw: bytes) -> bool:
    """Whether *raw* is text, but for a few bytes: of what is none, a tenth controls something."""
    return len(raw) - len(raw.translate(None, _CONTROLS)) <= max(4, len(raw) // 50)


def _text(raw: bytes) -> str:
    plain = raw if is_text(raw) else raw.translate(_CODING)
    return plain.decode("utf-8", "replace")


def _decoded(block: str) -> bytes:
    whole = block.rstrip("=")
    whole = whole[: len(whole) - (len(whole) % 4 == 1)]
    return b64decode(whole + "==")


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return " " if match[2] in "bfnrt" else match[2]


def _unquoted(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))
