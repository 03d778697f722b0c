"""What a connector says of its marketplace: what it can do there, and what a reply may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime, timedelta

SeesReplies = Literal["always", "copies", "never"]

Unit = Literal["characters", "bytes"]
"""What a marketplace counts where it says how long a text may be."""

Contact = Literal["link", "address", "phone"]
"""A way around the marketplace: an address in the web, of mail, a phone number."""


@dataclass(frozen=True, slots=True)
class Unwelcome:
    """What the marketplace's rules keep out of texts, as its page *source* says.

    *but* are the hosts (and those below them) to which a link may lead all the same. *is_refused*:
    the marketplace turns such a text away every time; else it may withhold it, or hold it against
    the seller.
    """

    what: Contact
    source: str
    but: frozenset[str] = frozenset()
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connector can do beyond reading.

    *sees_replies*: whether answers given elsewhere show up when reading (``always``), only as
    copies of some (``copies``), or ``never``. *own_mark*: the marketplace has a "no reply
    needed" of its own that we read; *unseen_mark*: it has one that we cannot see, so that a person
    may say that it was set. *shortest_reply*, *longest_reply*: how many characters a reply has,
    None where nobody knows; where the marketplace counts in bytes (*longest_in*), the longest is so
    many of UTF-8. *unwelcome*: what its rules keep out of texts. *most_enclosed*: how many bytes of
    files a reply may take along, 0: none; *most_each*: how many one of them may have; *most_files*:
    how many files. *enclosed*: of which media types (None: of any), *linked*: of which types it
    takes files by their public address (None: of any).
    *marks_read*: on request it marks threads as read there. *verdicts*: what became of a reply is
    told later and elsewhere (`Page.verdicts`). *letters*: what it reads are letters: one that comes
    twice is of its earliest instant, and one of ours stays in the thread for which it was written.
    *confirmed_after*: how long after it was accepted a reply counts as confirmed where nothing was
    read against it; None: never so. *labels_automatic*: a reply can leave with a mark by which
    everybody there sees that nobody wrote it, and is read back with it. *window*: so long after the
    buyer wrote an answer is taken; *until*: to when that is in one thread (`Spec.narrows`), by what
    is known of it. None: no end is known.
    """

    replies: bool = False
    looks: bool = False
    receives: bool = False
    waits: bool = False
    reports: bool = False
    enriches: bool = False
    acts: bool = False
    own_mark: bool = False
    unseen_mark: bool = False
    sees_replies: SeesReplies = "always"
    shortest_reply: int | None = None
    longest_reply: int | None = None
    longest_in: Unit = "characters"
    unwelcome: tuple[Unwelcome, ...] = ()
    most_enclosed: int = 0
    most_each: int | None = None
    most_files: int | None = None
    enclosed: frozenset[str] | None = None
    linked: frozenset[str] | None = frozenset()
    marks_read: bool = False
    verdicts: bool = False
    letters: bool = False
    confirmed_after: timedelta | None = None
    labels_automatic: bool = False
    window: timedelta | None = None
    until: datetime | None = None

    def length(self, text: str) -> int:
        """How long *text* is as the marketplace counts it, in `longest_in`."""
        if self.longest_in == "characters":
            return len(text)
        return len(text.encode("utf-8", "replace"))
