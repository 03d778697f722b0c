"""A message's text: HTML comes without a flag (trap 31). Pure."""

from __future__ import annotations

import re
from html import unescape

NAMES = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|code|dd|del|div|dl|dt|em|fieldset|font|"
    "footer|form|h[1-6]|head|header|hr|html|i|iframe|img|ins|label|li|link|meta|nav|ol|p|pre|s|"
    "script|section|small|span|strike|strong|style|sub|sup|svg|table|tbody|td|tfoot|th|thead|title|"
    "tr|tt|u|ul"
)
TAG = re.compile(rf"</?(?:{NAMES})(?:\s[^<>]*)?/?>", re.IGNORECASE)
"""A tag of HTML's own: ``a <b and c> d`` and ``<3`` are none."""

ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
LINES = re.compile(r"<(?:br|p|div|li|tr|pre|h[1-6])\b", re.IGNORECASE)
BREAK = re.compile(r"\r\n?|\n")


def text(said: str) -> str:
    """*said* as a person reads it: HTML as text, anything else as it is."""
    if TAG.search(said):
        from core.transport import markup  # noqa: PLC0415  # an extra: only who reads HTML needs it

        whole = said if LINES.search(said) else BREAK.sub("<br>", said)
        return markup.text(whole)
    return unescape(said).replace("\xa0", " ") if ENTITY.search(said) else said
