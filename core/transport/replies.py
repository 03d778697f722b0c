"""A reply as a letter: its id, its text with the words that it answers, its files. Pure."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from core.transport.outgoing import Enclosed

if TYPE_CHECKING:
    from core.model import Draft

MOST_QUOTED = 20_000
"""Characters of the buyer's words that are repeated."""


def message_id(draft: Draft, sender: str, token: str = "") -> str:
    """The same for the same draft, so that no second sending is another letter; no other's.

    *token* stands in it where one is given, for whoever reads an answer to it.
    """
    told = f"{draft.account}\n{draft.thread}\n{draft.id}\n{draft.queued_at.isoformat()}"
    parts = ("reply", str(draft.id), *([token] if token else ()), _digest(told))
    return f"{'-'.join(parts)}@{sender.rpartition('@')[2].strip().lower()}"


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


def text(draft: Draft) -> str:
    """What was written, and below it the words that it answers, each line behind ``>``."""
    if not draft.quoted or not draft.quoted.strip():
        return draft.body
    quoted = draft.quoted[:MOST_QUOTED].strip().splitlines()
    return "\n".join([draft.body.rstrip(), "", *(f"> {line}".rstrip() for line in quoted)])


def files(draft: Draft) -> tuple[Enclosed, ...]:
    """What goes with it."""
    return tuple(Enclosed(one.name, one.media_type, one.content) for one in draft.files)
