"""A message's text: HTML comes without a flag (trap 31). Pure."""

from __future__ import annotations

import re
from html import unescape

from core.transport.tags import is_html

ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
LINES = re.compile(r"<(?:br|p|div|li|tr|pre|h[1-6])\b", re.IGNORECASE)
BREAK = re.compile(r"\r\n?|\n")


def text(said: str) -> str:
    """*said* as a person reads it: HTML as text, anything else as it is."""
    if is_html(said):
        from core.transport import markup  # noqa: PLC0415  # an extra: only who reads HTML needs it

        whole = said if LINES.search(said) else BREAK.sub("<br>", said)
        return markup.text(whole)
    return unescape(said).replace("\xa0", " ") if ENTITY.search(said) else said
