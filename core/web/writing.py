"""Lines of somebody else's words, written piece by piece: from plain text, and from HTML. Pure.

Each piece has its look by itself, so no element is ever left open, however the tags stood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from core.transport import tags
from core.web.lettering import BREAKS, is_blank, letters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_QUOTES = 10
"""Marks before a line of a quote in a quote in a quote."""
INLINE: Final = {"b": "b", "strong": "b", "i": "i", "em": "i", "code": "code", "tt": "code"}
HIDDEN: Final = frozenset({"script", "style", "title"})
"""Elements whose words nobody was meant to read."""

_BY_TAGS = re.compile(r"<(?:br|p|div|li|tr|pre|h[1-6])\b", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\xa0]+")
_URL = re.compile(r"https?://[^\s<>\"'\u2039\u203a]{1,2000}", re.IGNORECASE)
_TRAILING = re.compile(r"[.,;:!?)\]]+\Z")
_NO_URL = re.compile(r"[\s\x00-\x1f\x7f\"'<>\\^`{|}]")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)
_BEGIN = re.compile(r"https?://[a-z0-9._-]+(?=[/?#:]|\Z)", re.IGNORECASE)


class Run(NamedTuple):
    """Words of one look: *style* are names of inline elements, *href* is where they lead."""

    text: str
    style: frozenset[str] = frozenset()
    href: str = ""


@dataclass(slots=True)
class Line:
    """A line of words. *is_quoted*: it is part of an older message."""

    runs: list[Run] = field(default_factory=list)
    is_quoted: bool = False

    @property
    def length(self) -> int:
        """Its characters, with the end of the line."""
        return 1 + sum(len(run.text) for run in self.runs)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is to be seen in it."""
        return all(is_blank(run.text) for run in self.runs)


class Most(NamedTuple):
    """So much is enough: characters and lines that are written, tags that are read.

    *looked_at* are the characters that are looked at where there is no tag: of some nothing is to
    be seen.
    """

    characters: int
    lines: int
    tags: int
    looked_at: int


class Writer:
    """Lines as they are written; *left_out* counts the characters that have no look."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.left_out = 0
        self.is_quoted = False
        self._runs: list[Run] = []
        self._written = 0

    @property
    def is_at_begin(self) -> bool:
        """Whether nothing stands in the line yet."""
        return not self._runs

    def words(self, said: str, style: frozenset[str] = frozenset(), href: str = "") -> None:
        """Write *said*, which has no line break; addresses in it lead where they say."""
        text, left_out = letters(said)
        self.left_out += left_out
        end = 0
        for found in () if href else _URL.finditer(text):
            url = _TRAILING.sub("", found[0])
            host = said_host(url)
            if host is not None:
                self._add(text[end : found.start()], style)
                self._add(url, style, url)
                self._add("" if _BEGIN.match(url) else f" [{host}]", style)
                end = found.start() + len(url)
        self._add(text[end:], style, href)

    def _add(self, text: str, style: frozenset[str], href: str = "") -> None:
        if text:
            self._runs.append(Run(text, style, href))
            self._written += len(text)

    def is_beyond(self, most: Most) -> bool:
        """Whether more than *most* was written."""
        return self._written > most.characters or len(self.lines) > most.lines

    def ends_with_space(self) -> bool:
        """Whether the line ends with a space already."""
        return bool(self._runs) and self._runs[-1].text[-1] in " \t"

    def end_line(self, *, keep: bool = False) -> None:
        """End the line; an empty one stays only where *keep* says that it is meant."""
        if self._runs or keep:
            self.lines.append(Line(self._joined(), self.is_quoted))
            self._runs = []

    def _joined(self) -> list[Run]:
        """The line's words; as one where marks upon marks were spread over several."""
        if len(self._runs) < 2:
            return self._runs
        text, left_out = letters("".join(run.text for run in self._runs))
        self.left_out += left_out
        return [Run(text)] if left_out else self._runs


def said_host(url: str) -> str | None:
    """The host to which *url* leads, in ASCII; None where a page must not lead there."""
    if _NO_URL.search(url) or letters(url).text != url:
        return None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        _ = parts.port
    except ValueError:  # an encoding error is one
        return None
    is_web = parts.scheme in {"http", "https"} and _HOST.fullmatch(host) is not None
    return host.lower() if is_web else None


class Reader:
    """Reads HTML tag by tag, and lets *writer* write what of it is to be seen, *most* of it."""

    def __init__(self, writer: Writer, picture: str, most: Most) -> None:
        self._writer = writer
        self._picture = picture
        self._most = most
        self._unread = 0
        self._breaks = False
        self._inline = dict.fromkeys(INLINE.values(), 0)
        self._lists: list[int | None] = []
        self._pres = 0
        self._quotes = 0
        self._mark: tuple[str, int] | None = None
        self._all_after = False
        self._wants_gap = False
        self._href, self._link = "", list[str]()
        self._unclosed: set[str] = set()

    def read(self, html: str) -> int:
        """Write what *html* says, or its begin where it is too much.

        Returns:
            How many characters of *html* are left unread.
        """
        html = BREAKS.sub("\n", html)
        self._breaks = _BY_TAGS.search(html) is None
        end, token = 0, tags.TOKEN.search(html)
        for _ in range(self._most.tags):
            begin = len(html) if token is None else token.start()
            stop = min(begin, end + self._most.looked_at)
            self._text(html[end:stop])
            end = stop
            if token is not None and end == begin:
                end = token.end() if token["name"] is None else self._tag(token, html)
                token = tags.TOKEN.search(html, end)
            if end == len(html) or self._writer.is_beyond(self._most):
                break
        self._end_link()
        self._end_line()
        return self._unread + len(html) - end

    def _text(self, said: str) -> None:
        said = BREAKS.sub("\n", unescape(said))
        if self._pres or self._breaks:
            first, *others = said.split("\n", self._most.lines)
            if len(others) == self._most.lines:
                self._unread += len(others.pop())
            self._words(first)
            for other in others:
                self._end_line(keep=True)
                self._words(other)
        else:
            self._words(_SPACES.sub(" ", said))

    def _words(self, said: str) -> None:
        writer = self._writer
        if not (self._pres or self._breaks) and (writer.is_at_begin or writer.ends_with_space()):
            said = said.lstrip(" ")
        if not said:
            return
        if writer.is_at_begin:
            self._begin_line()
        writer.words(said, frozenset(name for name, n in self._inline.items() if n), self._href)
        if self._href:
            self._link.append(said)

    def _begin_line(self) -> None:
        writer = self._writer
        writer.is_quoted = self._is_quoted
        if self._wants_gap and writer.lines and not writer.lines[-1].is_blank:
            writer.end_line(keep=True)
        self._wants_gap = False
        if self._quotes > 1:
            writer.words("> " * min(self._quotes - 1, MOST_QUOTES))

    def _end_line(self, *, keep: bool = False) -> None:
        self._writer.is_quoted = self._is_quoted
        self._writer.end_line(keep=keep)

    @property
    def _is_quoted(self) -> bool:
        """Whether what is written now is part of an older message."""
        return bool(self._quotes or self._mark or self._all_after)

    def _tag(self, tag: re.Match[str], html: str) -> int:
        """Do what *tag* asks for; where to read on."""
        name, is_open = tag["name"].lower(), not tag["close"]
        if name in HIDDEN and is_open:
            return self._past(name, html, tag.end())
        if name in INLINE:
            look = INLINE[name]
            self._inline[look] = max(0, self._inline[look] + (1 if is_open else -1))
        elif name in tags.BLOCKS:
            self._block(name, tag["rest"], is_open=is_open)
        elif name in _ALONE:
            _ALONE[name](self, tag["rest"], is_open)
        return tag.end()

    def _past(self, name: str, html: str, begin: int) -> int:
        """Where the element ends whose words are hidden; one that never does hides nothing."""
        if name not in self._unclosed:
            ends = _ENDS[name].search(html, begin)
            if ends is not None:
                return ends.end()
            self._unclosed.add(name)
        return begin

    def _block(self, name: str, rest: str, *, is_open: bool) -> None:
        self._end_line()
        self._wants_gap = self._wants_gap or name in tags.APART
        step = 1 if is_open else -1
        if name == "pre":
            self._pres = max(0, self._pres + step)
        elif name in {"ol", "ul"}:
            self._list(name, is_open=is_open)
        elif name == "blockquote":
            self._quotes = max(0, self._quotes + step)
        elif name == "li" and is_open:
            self._item()
        self._marks(name, rest, step)

    def _marks(self, name: str, rest: str, step: int) -> None:
        """Whether an older letter begins here, or ends."""
        if self._mark is not None:
            marked, depth = self._mark
            depth += step * (name == marked)
            self._mark = (marked, depth) if depth else None
        elif step > 0 and tags.is_old(name, rest):
            self._mark = (name, 1)
        self._all_after = self._all_after or (step > 0 and bool(tags.AND_ALL_AFTER.search(rest)))

    def _list(self, name: str, *, is_open: bool) -> None:
        if is_open:
            self._lists.append(0 if name == "ol" else None)
        elif self._lists:
            self._lists.pop()

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if number is None:
            self._words("\u2022 ")
        else:
            self._lists[-1] = number + 1
            self._words(f"{number + 1}. ")

    def _cell(self, _rest: str, is_open: bool) -> None:  # noqa: FBT001  # all of `_ALONE` have it
        if is_open and not self._writer.is_at_begin:
            self._writer.words("\t")

    def _break(self, _rest: str, _is_open: bool) -> None:  # noqa: FBT001  # likewise
        self._end_line(keep=True)

    def _image(self, rest: str, _is_open: bool) -> None:  # noqa: FBT001  # likewise
        described = " ".join(_attribute(rest, "alt").split())
        self._words(f"[{self._picture}: {described}]" if described else f"[{self._picture}]")

    def _anchor(self, rest: str, is_open: bool) -> None:  # noqa: FBT001  # likewise
        self._end_link()
        href = _attribute(rest, "href").strip() if is_open else ""
        is_mail = href.lower().startswith("mailto:") and not _NO_URL.search(href)
        self._href = href if is_mail or said_host(href) is not None else ""

    def _end_link(self) -> None:
        """Say where the link leads that ends here, unless its own words do."""
        href, said = self._href, "".join(self._link).strip()
        self._href, self._link = "", []
        if not href:
            return
        host = said_host(href)
        place = href[7:].partition("?")[0] if host is None else host
        begin = _BEGIN.match(said)
        is_told = begin is not None and begin[0].lower().partition("://")[2] == host
        if not is_told and place not in {"", said}:
            self._writer.words(f" [{place}]" if said else f"[{place}]", href="" if said else href)


def _attribute(rest: str, wanted: str) -> str:
    """The value of an attribute; empty where there is none."""
    for name, *values in tags.ATTRIBUTE.findall(rest):
        if name.lower() == wanted:
            return unescape(next(filter(None, values), ""))
    return ""


_ENDS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(rf"</{name}\b[^>]*+(?:>|\Z)", re.IGNORECASE) for name in HIDDEN
}
_ALONE: Mapping[str, Callable[[Reader, str, bool], None]] = {
    "a": Reader._anchor,  # noqa: SLF001  # its own
    "br": Reader._break,  # noqa: SLF001  # likewise
    "img": Reader._image,  # noqa: SLF001  # likewise
    "td": Reader._cell,  # noqa: SLF001  # likewise
    "th": Reader._cell,  # noqa: SLF001  # likewise
}
