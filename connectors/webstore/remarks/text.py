"""What a shop shows as HTML, as a person reads it; and the other way round."""

from __future__ import annotations

import html
import re

from core.transport import markup

TAG = re.compile(r"</?(?:a|b|blockquote|br|div|em|i|li|ol|p|span|strong|table|td|tr|u|ul)\b[^<>]*>",
                 re.IGNORECASE)  # fmt: skip
BREAK = re.compile(r"<(?:br|p|div|li|tr)\b", re.IGNORECASE)


def plain(told: str) -> str:
    """*told* as text: some of it is HTML, and some is text with entities."""
    if TAG.search(told) is None:
        return html.unescape(told)
    lines = told if BREAK.search(told) else told.replace("\n", "<br>")
    return markup.text(lines)


def marked(body: str) -> str:
    """*body* (plain text) for a place that is shown as HTML: nothing in it becomes a tag."""
    return html.escape(body, quote=False)
