"""Signed links in notices: whoever may open one, for what, and until when. Pure.

A link holds what it is for and a code over that (HMAC-SHA256) by a key of this installation: nobody
else can make one, and none can be turned into one for another notice, person or purpose. It is no
sign-in: it does one thing.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from core.model import NoticeKind
from core.routing import Way
from core.store import escalations

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from core.model import Notice
    from core.people.directory import Directory

TAKE: Final = "take"
"""What a link is for: to claim a thread, or to acknowledge what has none."""
PERSON, NOTIFIER = "person", "notifier"
VALID: Final = 7
"""Days for which a link can be followed, unless the settings say otherwise."""
LONGEST: Final = 600
"""Characters of a token; a longer one was not made here."""

Flaw = Literal["unreadable", "expired"]
"""Why a token is no link: it was not made here, for this and like this; or its time is over."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}")
_DOMAIN = b"replyby link 1\n"


@dataclass(frozen=True, slots=True)
class Link:
    """For *purpose*, about the notice of that number, for *bearer*, before *until* (whole seconds).

    *bearer* is ``person:anna``, or ``notifier:chat`` where several read what it tells.
    """

    purpose: str
    notice: int
    bearer: str
    until: datetime

    @property
    def person(self) -> str | None:
        """Whose it is; None: of whoever reads what the notifier tells."""
        kind, _, name = self.bearer.partition(":")
        return name if kind == PERSON else None

    @property
    def notifier(self) -> str | None:
        """By which notifier it was told to several; None: it is a person's own."""
        kind, _, name = self.bearer.partition(":")
        return name if kind == NOTIFIER else None


def sign(key: bytes, link: Link) -> str:
    """*link* as a word for an address."""
    said = f"{link.purpose}\n{link.notice}\n{link.bearer}\n{int(link.until.timestamp())}".encode()
    code = hmac.new(key, _DOMAIN + said, sha256).digest()
    return f"{_word(said)}.{_word(code)}"


def read(key: bytes, token: str, purpose: str, now: datetime) -> Link | Flaw:
    """The link that *token* is, for *purpose* at *now*; or why it is none.

    Nothing of a token is looked at before its code was found to be right.
    """
    if len(token) > LONGEST or _SHAPE.fullmatch(token) is None:
        return "unreadable"
    said, _, _ = token.partition(".")
    link = _link(said)
    if link is None or not hmac.compare_digest(sign(key, link), token) or link.purpose != purpose:
        return "unreadable"
    return link if now < link.until else "expired"


def _link(said: str) -> Link | None:
    """What stands there, whoever wrote it; None: nothing that we would write."""
    try:
        text = urlsafe_b64decode(said + "=" * (-len(said) % 4)).decode()
        purpose, notice, bearer, until = text.split("\n")
        return Link(purpose, int(notice), bearer, datetime.fromtimestamp(int(until), UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _word(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def is_taken(notice: Notice) -> bool:
    """Whether *notice* is one that somebody can take: it has a link."""
    if notice.kind in {NoticeKind.ESCALATION, NoticeKind.REPLY_UNKNOWN}:
        return True
    return escalations.climbs(notice.kind, notice.clock)


def bearer(directory: Directory, notifier: str, ways: Iterable[str]) -> str:
    """For whom a link is that *notifier* tells: one person, or whoever reads it.

    *ways* are by what the notice came to it, where that was written down.
    """
    people = {Way.of(way).person for way in ways} or _readers(directory, notifier)
    whose = people.pop() if len(people) == 1 else None
    return f"{PERSON}:{whose}" if whose else f"{NOTIFIER}:{notifier}"


def _readers(directory: Directory, notifier: str) -> set[str | None]:
    """Who reads what *notifier* tells; None: a team does."""
    people: set[str | None] = {
        name for name, person in directory.people.items() if notifier in person.notifiers
    }
    shared = any(notifier in team.notifiers for team in directory.teams.values())
    return people | {None} if shared else people


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes the addresses of links: under *base*, with *key*, valid for so long."""

    key: bytes
    base: str
    valid: timedelta

    def address(
        self, notice: Notice, notifier: str, ways: Iterable[str], directory: Directory, at: datetime
    ) -> str | None:
        """Where the reader of *notice* says that they take it; None: nobody can."""
        if notice.id is None or not is_taken(notice):
            return None
        whom = bearer(directory, notifier, ways)
        until = (at + self.valid).replace(microsecond=0)
        token = sign(self.key, Link(TAKE, notice.id, whom, until))
        return f"{self.base.rstrip('/')}/{TAKE}/{token}"
