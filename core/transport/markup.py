"""A letter's HTML as text. Pure; nothing that it names is fetched.

The parser builds what HTML's rules ask for, and these rules can be made to ask for millions
of elements (3,000 times ``<b id=1><p>``, 50 kB, are 1.6 GB). So the tags are first rewritten to the
few that matter, without attributes: then work and memory are bounded by `MOST_TAGS`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.transport.tags import AND_ALL_AFTER, APART, BLOCKS, COMMENT, TAG, is_old

try:
    from selectolax.lexbor import LexborHTMLParser
except ImportError as fault:  # pragma: no cover  # the extra is there wherever tests run
    raise ImportError("reading letters needs an extra: pip install 'replyby[mail]'") from fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selectolax.lexbor import LexborNode

LONGEST_HTML = 1_000_000
"""Characters that are looked at: a hundred screens; what follows is old quotes."""

MOST_TAGS = 10_000
"""Tags that are looked at: parsers take time by the square of the nesting, here 0.2 s at worst."""

GAP = "<!---->"
"""What stands for a tag without meaning: nothing at all would let its neighbours become a tag."""

HIDDEN = frozenset({"head", "noscript", "script", "style", "template", "textarea", "title"})
KEPT_AS = {"tr": "div", "td": "th", "th": "th", "table": "section", "caption": "div"}
"""Tables become blocks: what stands wrongly in a table is not moved before it."""

MOST_MARKS = 10
"""Marks before a line of a quote in a quote in a quote."""

SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
EMPTY_LINES = re.compile(r"\n{3,}")


def text(html: str, *, cut_quotes: bool = False) -> str:
    """*html* as a person reads it: blocks on lines of their own, cells apart by tabs.

    A quoted block (`<blockquote>`) stands behind ``> `` as in a plain letter; with *cut_quotes*
    what mail programs mark as an older letter is left out, unless nothing else is there.
    """
    tree = LexborHTMLParser(rewritten(html, _for_text))
    written = _Writer(cut_quotes=cut_quotes).all_of(tree.root)
    return written if written or not cut_quotes else text(html)


def is_long(html: str) -> bool:
    """Whether the end of *html* is beyond what is looked at."""
    return len(html) > LONGEST_HTML or html.count("<") > MOST_TAGS


def rewritten(html: str, rewrite: Callable[[re.Match[str]], str]) -> str:
    """*html* within the limits, each tag as *rewrite* has it."""
    html = html[:LONGEST_HTML].encode("utf-8", "replace").decode().replace("\x00", "")
    html = COMMENT.sub("", html) if "<!--" in html else html
    if html.count("<") > MOST_TAGS:
        html = html[: _nth(html, "<", MOST_TAGS)]
    return TAG.sub(rewrite, html)


def _nth(html: str, mark: str, count: int) -> int:
    """Where the *count*-th *mark* stands."""
    return len(mark.join(html.split(mark, count)[:count]))


def _for_text(tag: re.Match[str]) -> str:
    name = tag["name"].lower()
    if name in HIDDEN or name == "br":
        return f"<{tag['close']}{name}>"
    if name not in BLOCKS and name not in KEPT_AS and name != "body":
        return GAP
    kept = KEPT_AS.get(name, name)
    if tag["close"]:
        return f"</{kept}>" if name not in {"td", "th"} else GAP
    if name in {"td", "th"}:
        return "\ue000"
    return f"<{kept}{_mark(name, tag['rest'])}>"


def _mark(name: str, rest: str) -> str:
    """The one attribute that the text needs: whether an older letter begins here."""
    if AND_ALL_AFTER.search(rest):
        return " id=rest"
    return " id=old" if is_old(name, rest) else ""


def _steps(root: LexborNode) -> Iterator[tuple[LexborNode, str, bool]]:
    """Each node with its tag on the way in, each element again on the way out; no recursion."""
    node: LexborNode | None = root
    open_: list[tuple[LexborNode, str]] = []
    while node is not None:
        tag = node.tag or ""
        yield node, tag, True
        child = node.first_child if tag not in HIDDEN and not tag.startswith("-") else None
        if child is not None:
            open_.append((node, tag))
            node = child
            continue
        yield node, tag, False
        while node.next is None and open_:
            node, tag = open_.pop()
            yield node, tag, False
        node = node.next if open_ else None


class _Writer:
    """The lines of a text, written node by node."""

    def __init__(self, *, cut_quotes: bool) -> None:
        self.cut_quotes = cut_quotes
        self.lines: list[str] = []
        self.line: list[str] = []
        self.quotes = 0
        self.pres = 0
        self.hidden = 0
        self.wants_gap = False

    def all_of(self, root: LexborNode | None) -> str:
        for node, tag, is_in in _steps(root) if root is not None else ():
            if tag == "-text":
                if is_in and not self.hidden:
                    self.words(node.text_content or "")
            elif self.cut_quotes and self.is_cut(node, tag, is_in=is_in):
                break
            elif tag in BLOCKS or tag == "br":
                self.block(tag, is_in=is_in)
        self.end_line()
        text = "\n".join(self.lines).strip("\n")
        return EMPTY_LINES.sub("\n\n", text)

    def is_cut(self, node: LexborNode, tag: str, *, is_in: bool) -> bool:
        """Whether all that follows is an older letter; what is marked as one is hidden."""
        mark = node.id if tag in BLOCKS else None
        if mark == "old":
            self.hidden += 1 if is_in else -1
        return mark == "rest" and self.hidden == 0

    def words(self, said: str) -> None:
        if self.pres:
            first, *others = said.replace("\r\n", "\n").split("\n")
            self.line.append(first)
            for other in others:
                self.end_line(keep=True)
                self.line.append(other)
        else:
            self.line.append(SPACES.sub(" ", said))

    def block(self, tag: str, *, is_in: bool) -> None:
        if self.hidden:
            return
        if tag == "br":
            if is_in:
                self.end_line(keep=True)
            return
        self.end_line()
        self.wants_gap = self.wants_gap or tag in APART
        step = 1 if is_in else -1
        self.quotes += step if tag == "blockquote" else 0
        self.pres += step if tag == "pre" else 0
        if tag == "li" and is_in:
            self.line.append("- ")

    def end_line(self, *, keep: bool = False) -> None:
        """End the line; an empty one stays only where *keep* says that it is meant."""
        if not self.line and not keep:
            return
        said = "".join(self.line)
        self.line = []
        if not self.pres:
            said = SPACES.sub(" ", said).strip().replace("\ue000 ", "\ue000")
        said = said.strip("\ue000").replace(" \ue000", "\ue000").replace("\ue000", "\t").rstrip()
        if said or keep:
            self.fill_gap()
            self.lines.append(("> " * min(self.quotes, MOST_MARKS) + said).rstrip())

    def fill_gap(self) -> None:
        if self.wants_gap and self.lines and self.lines[-1].strip("> "):
            self.lines.append("")
        self.wants_gap = False
