"""In what Messenger and Instagram differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Platform:
    """*word* names it in calls, *object* in pushes; *fields* are what is to be pushed.

    *longest* is how long a text may be, in *unit*.
    """

    word: Literal["messenger", "instagram"]
    object: str
    fields: frozenset[str]
    longest: int
    unit: Literal["characters", "bytes"]
    source: str

    def length(self, text: str) -> int:
        """How long *text* is, as Meta counts it."""
        return len(text) if self.unit == "characters" else len(text.encode("utf-8", "replace"))


MESSENGER = Platform(
    word="messenger",
    object="page",
    fields=frozenset({"messages", "message_echoes", "messaging_postbacks"}),
    longest=2000,
    unit="characters",
    source="developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages",
)

INSTAGRAM = Platform(
    word="instagram",
    object="instagram",
    fields=frozenset({"messages", "messaging_postbacks"}),
    longest=1000,
    unit="bytes",
    source="developers.facebook.com/documentation/business-messaging/instagram-messaging",
)
"""Echoes come with ``messages`` there."""
