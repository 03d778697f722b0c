"""The messages of a thread as its page shows them, the newest first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from core.web import conversation, pages
from core.web.lettering import line
from sla.turn import EARLIEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.model import Attachment
    from core.store.conversations import Message, Waiting
    from core.web.conversation import Shown

MOST_WAITING = 3
"""Messages that stand before the box for an answer at most."""
LATE = timedelta(minutes=2)
"""A message that was seen so much later than it could be is told with that lag."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see of a thread: its newest messages, or those *before* one.

    *whole* is the message of which all is shown, *as_it_came* the one whose tags are shown as text;
    *every*: all clocks. *live*: only what changes by itself.
    """

    before: str | None = None
    whole: str | None = None
    as_it_came: str | None = None
    every: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """An attachment; *href* is where its bytes are, None where the marketplace alone has them."""

    name: str
    size: int | None
    media_type: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A message, safe to be shown.

    *at* is when it counts; *lag* how long after it could be read we saw it, where that matters;
    *held* how long the marketplace held it back. *anchor* is its place on the page; *whole*
    and *as_it_came* are the addresses of its other views, *kept* is that of all of its text as a
    file, each empty where there is none.
    """

    message: Message
    shown: Shown
    at: datetime
    lag: timedelta | None
    held: timedelta | None
    is_uncertain: bool
    subject: str
    files: tuple[File, ...]
    anchor: str
    whole: str
    as_it_came: str
    kept: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """A reply that has not left."""

    reply: Waiting
    shown: Shown
    files: tuple[File, ...]


def entries(messages: Iterable[Message], subject: str, here: Here, picture: str) -> list[Entry]:
    """*messages* of the thread of that *subject*; *picture* is the reader's word for one."""
    return [_entry(number, one, subject, here, picture) for number, one in enumerate(messages, 1)]


@dataclass(frozen=True, slots=True)
class Here:
    """The page that is looked at."""

    account: str
    thread: str
    asked: Asked

    def address(self, anchor: str = "", **changes: str) -> str:
        """Where the same page is with other parameters; an empty one is left out."""
        asked = self.asked
        now = {"before": asked.before or "", "clocks": "all" if asked.every else ""}
        query = urlencode({key: value for key, value in (now | changes).items() if value})
        path = pages.thread_path(self.account, self.thread)
        return f"{path}{'?' if query else ''}{query}{anchor and '#'}{anchor}"

    def file(self, **which: str) -> str:
        """Where a file of a reply is that has not left, or the text of a message."""
        return f"{pages.thread_path(self.account, self.thread, 'file')}?{urlencode(which)}"


def _entry(number: int, one: Message, subject: str, here: Here, picture: str) -> Entry:
    is_whole, came = here.asked.whole == one.id, here.asked.as_it_came == one.id
    body = conversation.shown(one.body, picture, whole=is_whole or came, as_it_came=came)
    unread = one.length - len(one.body)
    is_long = body.more > 0 or unread > 0
    anchor = f"m{number}"
    said = line(one.subject)
    return Entry(
        one,
        body,
        at=_instant(one),
        lag=_lag(one),
        held=_held(one),
        is_uncertain=one.sent_at is None or one.sent_at != _instant(one),
        subject="" if said == subject else said,
        files=tuple(_file(file) for file in one.attachments),
        anchor=anchor,
        whole=here.address(anchor, whole=one.id) if is_long and not (is_whole or came) else "",
        as_it_came=here.address(anchor, raw=one.id) if body.was_html and not came else "",
        kept=here.file(message=one.id) if is_long and (is_whole or came) else "",
    )


def split(several: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """What is read before an answer is written, and what came earlier, both the newest first.

    The first are all that came since the last answer, or that answer.
    """
    answered = next((n for n, one in enumerate(several) if _answers(one.message)), len(several))
    first = min(max(answered, 1), MOST_WAITING)
    return several[:first], several[first:]


def _answers(one: Message) -> bool:
    """Whether it has reached the buyer as an answer; a note, or what was refused, has not."""
    reached = one.delivery in {"accepted", "confirmed", None}
    return one.party == "seller" and one.kind in {"message", "answered_elsewhere"} and reached


def leaving(replies: Iterable[Waiting], here: Here, picture: str) -> list[Leaving]:
    """*replies* that have not left."""
    return [
        Leaving(
            one,
            conversation.shown(one.body, picture, whole=True, as_it_came=True),
            tuple(_file(file, here.file(reply=str(one.id), number=file.id)) for file in one.files),
        )
        for one in replies
    ]


def _instant(one: Message) -> datetime:
    """When it counts, as `sla.turn.instant` has it."""
    sent, seen = one.sent_at, one.seen_at
    return seen if sent is None or sent > seen or sent < EARLIEST else sent


def _lag(one: Message) -> timedelta | None:
    """How long after it could be read it was seen: ours alone, not the marketplace's."""
    if one.origin == "ours":
        return None
    lag = one.seen_at - max(_instant(one), one.visible_at or _instant(one))
    return lag if lag >= LATE else None


def _held(one: Message) -> timedelta | None:
    if one.visible_at is None:
        return None
    held = one.visible_at - _instant(one)
    return held if held >= LATE else None


def _file(file: Attachment, href: str | None = None) -> File:
    return File(line(file.name), file.size, line(file.media_type), href)


def web_address(url: str | None) -> str:
    """*url* where a page may lead there: to the web; else empty."""
    if not url or line(url, len(url)) != url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.hostname else ""


def lines_of(texts: Sequence[str]) -> list[str]:
    """Each of *texts* as one line; what shows nothing is left out."""
    return [said for text in texts if (said := line(text))]
