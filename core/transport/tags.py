"""What HTML is made of, as far as it matters here: tags, comments, marks of older letters. Pure."""

from __future__ import annotations

import re

TAG = re.compile(
    r"<(?P<close>/?+)(?P<name>[a-z][^\s/>]*+)"
    r"""(?P<rest>(?:[^>"']|"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))*+)(?:>|\Z)""",
    re.IGNORECASE,
)
ATTRIBUTE = re.compile(
    r"""([a-z][\w:-]*+)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE
)
COMMENT = re.compile(r"<!--(?:-?>|[\s\S]*?(?:--!?>|\Z))")
TOKEN = re.compile(rf"{COMMENT.pattern}|<[!?][^>]*+(?:>|\Z)|{TAG.pattern}", re.IGNORECASE)
"""A comment, a declaration, or a tag, which alone has a *name*."""

QUOTED = re.compile(
    r"""gmail_quote|gmail_extra|yahoo_quoted|protonmail_quote|moz-cite-prefix|zmail_extra"""
)
"""By these marks mail programs know a letter that they quote."""
AND_ALL_AFTER = re.compile(r"divRplyFwdMsg|appendonsend|mail-editor-reference-message-container")
"""From an element with such a mark on, all is an older letter."""

BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main",
    "nav", "ol", "p", "pre", "section", "table", "tr", "ul",
})  # fmt: skip
APART = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "table"})
"""Blocks with an empty line around them."""

_NAMES = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|code|dd|del|div|dl|dt|em|fieldset|font|"
    "footer|form|h[1-6]|head|header|hr|html|i|iframe|img|ins|label|li|link|meta|nav|ol|p|pre|s|"
    "script|section|small|span|strike|strong|style|sub|sup|svg|table|tbody|td|tfoot|th|thead|title|"
    "tr|tt|u|ul"
)
_OWN = re.compile(rf"</?(?=[a-z])(?:{_NAMES})(?:\s[^<>]*)?/?>", re.IGNORECASE)


def is_html(said: str) -> bool:
    """Whether *said* holds a tag of HTML's own: ``a <b and c> d`` and ``<3`` hold none."""
    return "<" in said and _OWN.search(said) is not None


def is_old(name: str, rest: str) -> bool:
    """Whether an element *name* with the attributes *rest* holds an older letter."""
    return bool(QUOTED.search(rest)) or (name == "blockquote" and "cite" in rest.lower())
