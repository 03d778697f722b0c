"""How far a walk has come, and what of a list is new. Pure.

A list brings of each conversation its newest message alone. What the last walk read to its end is
remembered by that message's id in the cursor, which is stored with what was read: only a
conversation that has another newest message by now costs a call of its own.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from connectors.ebay.messages import mapping
from connectors.ebay.messages.mapping import EBAY
from connectors.ebay.messages.payload import Conversations
from core.errors import BadPayload
from core.payload import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from connectors.ebay.messages.payload import Conversation, Entries
    from core.transport.salvage import Salvaged

AT_ONCE = 50
"""The most conversations, or messages of one, in an answer; an offset is a multiple of it."""

MOST_PAGES = 10_000
MOST_REPEATED = 2
"""How often each page may come again before a walk leads in a circle: servers repeat themselves."""

MOST_REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """The cursor: the newest message *at* which the last walk arrived, and what it has *read*.

    These are the conversations of shortly before, each with the id of its newest message.
    """

    at: datetime
    read: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, cursor: str | None) -> Mark | None:
        """What `write` wrote; None at the first walk, or where it cannot be read."""
        try:
            told = json.loads(cursor or "")
            at, read = instant(told["at"]), dict(told["read"])
        except (ValueError, TypeError, KeyError):
            return None
        return cls(at, read) if at else None

    def write(self) -> str:
        """As text; no member is named in it."""
        return json.dumps({"at": self.at.isoformat(), "read": self.read})


@dataclass(frozen=True, slots=True)
class Walk:
    """The position: how far a walk has come.

    *seen* is the newest message so far, *total* how many conversations the list had at the last
    page, *read* those read to their end, each with its newest message and that one's instant.
    *is_short*: the list shrank under our eyes, so that one may have slipped by. *is_failing*: no
    conversation of the last page could be reached, which is said once that page is stored.
    """

    offset: int = 0
    pages: int = 0
    seen: str = ""
    total: int | None = None
    is_short: bool = False
    is_failing: bool = False
    read: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, position: str | None) -> Walk:
        """What `write` wrote; a new walk for None."""
        return cls(**json.loads(position)) if position else cls()

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))

    def after(
        self,
        listed: Conversations,
        whole: Mapping[str, str],
        since: datetime,
        overlap: timedelta,
        now: datetime,
    ) -> Walk:
        """The position after a page of which *whole* were read: the newest message of each.

        What lies too far back to be listed again is forgotten.

        Raises:
            BadPayload: the pages lead in a circle.
        """
        at = {one.id: mapping.written_at(one.latest, now) for one in listed.conversations}
        newest = max([when for when in at.values() if when], default=since)
        seen = max(newest, instant(self.seen) or since)
        read = {**self.read, **{id_: (message, _text(at[id_])) for id_, message in whole.items()}}
        bound = _text(seen - overlap)
        near = [(id_, pair) for id_, pair in read.items() if pair[1] >= bound]
        near.sort(key=lambda each: each[1][1], reverse=True)
        total = self.total if listed.total is None else listed.total
        return Walk(
            offset=onward(listed, self.offset, self.pages),
            pages=self.pages + 1,
            seen=seen.isoformat(),
            total=total,
            is_short=self.is_short or (total or 0) < (self.total or 0),
            read=dict(near[:MOST_REMEMBERED]),
        )

    def ended(self, begin: datetime, now: datetime) -> Mark:
        """Where the next walk starts: the newest message seen, never later than this one's begin.

        Where the list shrank it starts where this one did (*begin*): nobody knows what slipped by.
        """
        read = {id_: pair[0] for id_, pair in self.read.items()}
        seen = instant(self.seen) or begin
        return Mark(begin if self.is_short else max(begin, min(seen, now)), read)


def parted(
    listed: Iterable[Conversation],
    type_: str,
    known: Mapping[str, str],
    since: datetime,
    now: datetime,
) -> tuple[list[Conversation], dict[str, str]]:
    """Those that have changed, and the newest messages of those that have not.

    What lies before *since* is nobody's business: only lists without a window show it.
    """
    changed: list[Conversation] = []
    same: dict[str, str] = {}
    for one in listed:
        at = mapping.written_at(one.latest, now)
        if type_ == EBAY and at is not None and at < since:
            continue
        if one.latest is not None and known.get(one.id) == one.latest.id:
            same[one.id] = one.latest.id
        else:
            changed.append(one)
    return changed, same


def onward(value: Conversations | Entries, asked: int, pages: int) -> int:
    """The offset after a page, which may be an earlier one that came again in its place.

    *asked* is the offset that was asked for, *pages* how many came before this one.

    Raises:
        BadPayload: the pages lead in a circle, or are without number.
    """
    offset = _place(value, asked)
    if pages >= MOST_PAGES or pages > (offset // AT_ONCE + 1) * (1 + MOST_REPEATED):
        raise BadPayload("conversations: the walk does not end")
    return offset + AT_ONCE


def goes_on(got: Salvaged[Conversations] | Salvaged[Entries], asked: int) -> bool:
    """Whether there is a page after this one."""
    value = got.value
    came = len(value.conversations if isinstance(value, Conversations) else value.messages)
    if not came + len(got.aside):
        return False
    if value.total is None:
        return bool(value.next)
    return _place(value, asked) + AT_ONCE < value.total


def is_past(listed: Conversations, since: datetime, now: datetime) -> bool:
    """Whether a list without a window has come to what lies before *since*.

    Only where the page is in order, the newest first: it was observed so, and is not documented.
    """
    at = [mapping.written_at(one.latest, now) for one in listed.conversations]
    dated = [when for when in at if when is not None]
    in_order = len(dated) == len(at) and dated == sorted(dated, reverse=True)
    return in_order and bool(dated) and dated[-1] < since


def _place(value: Conversations | Entries, asked: int) -> int:
    """The offset of a page, as it says itself: never beyond what was asked for."""
    told = asked if value.offset is None else value.offset
    return min(max(told, 0), asked) // AT_ONCE * AT_ONCE


def _text(at: datetime | None) -> str:
    return at.isoformat(timespec="microseconds") if at else ""
