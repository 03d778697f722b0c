"""What somebody wrote as HTML that a page may show: nothing of it acts, nothing is fetched. Pure.

Nobody says of a body whether it is text or HTML (Mirakl's buyers answer by mail as they like, eBay
gives either without a flag), so its own tags say it. Both become lines of words in a few inline
elements; quotes stand in parts of their own, which a page folds. The time is that of the length.

Not shown, beside what `core.web.lettering` leaves out: scripts, styles, titles and comments of
HTML; attributes; of links whatever does not lead to the web or to a mailbox. A picture is a word
with what describes it. `as_it_came` shows all of it as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import dropwhile, groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import nh3
from markupsafe import Markup

from core.transport import tags
from core.web.lettering import BREAKS
from core.web.writing import HIDDEN, Line, Most, Reader, Run, Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST = Most(characters=3_000, lines=80, tags=3_000, looked_at=12_000)
"""So much of a message is shown at first: a screen, or a few of a phone's."""
WHOLE = Most(characters=250_000, lines=10_000, tags=20_000, looked_at=300_000)
"""So much is shown of one that somebody wants to see whole: all that anybody reads, and no more
work than some tenths of a second. Of a longer one the rest is a file to be kept."""
MOST_HEADS = 6
"""Lines that may be the head of an older letter, and are looked at closely."""

CLEANER = nh3.Cleaner(
    tags={"a", "b", "br", "code", "i"},
    clean_content_tags=set(HIDDEN),
    attributes={"a": {"href"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
"""Another lock behind the writer: that makes no other elements either."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message, as HTML for an element that keeps spaces; *is_quoted*: to be folded."""

    html: Markup
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as a page shows it.

    *more* is how many characters of it are not shown because it is long, of HTML with the tags
    between them; *left_out* how many have no look of their own. *was_html*: it came with tags, so
    that its own look was another.
    """

    parts: tuple[Part, ...]
    more: int = 0
    left_out: int = 0
    was_html: bool = False


def shown(body: str, picture: str, *, whole: bool = False, as_it_came: bool = False) -> Shown:
    """*body* as a page may show it: its begin, or the *whole* of it, as far as `WHOLE` goes.

    *as_it_came*: tags are shown as text. *picture* is the reader's word for a picture.
    """
    most = WHOLE if whole else MOST
    was_html = tags.is_html(body[: most.looked_at])
    writer = Writer()
    if was_html and not as_it_came:
        unread = Reader(writer, picture, most).read(body)
    else:
        unread = _copy(body, writer, most)
    lines = _unfolded(_with_heads(writer.lines))
    kept = _begin(lines, most)
    more = sum(line.length for line in lines) - sum(line.length for line in kept)
    return Shown(tuple(_parts(kept)), more + unread, writer.left_out, was_html)


def _copy(body: str, writer: Writer, most: Most) -> int:
    """Plain text: lines behind ``>`` are quoted. How many characters of it were left out."""
    begin = body[: most.looked_at]
    several = BREAKS.sub("\n", begin).split("\n", most.lines)
    unread = len(several.pop()) if len(several) > most.lines else 0
    for said in several:
        writer.is_quoted = said.startswith((">", "&gt;"))
        writer.words(said)
        writer.end_line(keep=True)
    return len(body) - len(begin) + unread


def _with_heads(lines: Sequence[Line]) -> Sequence[Line]:
    """*lines*; from one on that says that an older letter begins, all are quoted."""
    try:
        from core.transport import quotes  # noqa: PLC0415  # an extra: who reads letters has it
    except ImportError:  # pragma: no cover  # it is there wherever tests run
        return lines
    said = ["".join(run.text for run in line.runs) for line in lines[: MOST.lines]]
    begin = quotes.end(said, MOST_HEADS)
    for line in lines[begin:] if begin < len(said) else ():
        line.is_quoted = True
    return lines


def _unfolded(lines: Sequence[Line]) -> Sequence[Line]:
    """*lines*; where all is quoted, that is what is said. A blank line goes with the one before."""
    is_said = any(not (line.is_quoted or line.is_blank) for line in lines)
    before = False
    for line in lines:
        before = line.is_quoted = is_said and (before if line.is_blank else line.is_quoted)
    return lines


def _begin(lines: Sequence[Line], most: Most) -> list[Line]:
    """So many of *lines* as are shown, the last of them cut."""
    left, kept = most.characters, list[Line]()
    for line in lines[: most.lines]:
        if line.length > left:
            kept.append(Line(list(_cut(line.runs, left - 1)), line.is_quoted))
            break
        kept.append(line)
        left -= line.length
    return kept


def _cut(runs: Iterable[Run], most: int) -> Iterator[Run]:
    for run in runs:
        if most > 0:
            yield run._replace(text=run.text[:most])
        most -= len(run.text)


def _parts(lines: Iterable[Line]) -> Iterator[Part]:
    """*lines* as HTML; blank lines around a part go."""
    for is_quoted, group in groupby(lines, attrgetter("is_quoted")):
        said = list(dropwhile(attrgetter("is_blank"), group))
        said = list(dropwhile(attrgetter("is_blank"), reversed(said)))
        if said:
            written = "<br>".join("".join(map(_html, line.runs)) for line in reversed(said))
            yield Part(Markup(CLEANER.clean(written)), is_quoted)  # noqa: S704  # it is just cleaned


def _html(run: Run) -> str:
    said = escape(run.text, quote=False)
    for name in sorted(run.style):
        said = f"<{name}>{said}</{name}>"
    return f'<a href="{escape(run.href)}">{said}</a>' if run.href else said
