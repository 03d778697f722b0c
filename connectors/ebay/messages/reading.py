"""Walks of conversations, and looks at single ones.

A list brings of each conversation its newest message alone. What the last walk read to its end is
remembered by that message's id in the cursor, which is stored with what was read: only a
conversation that has another newest message by now costs a call of its own.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors.ebay import refusals
from connectors.ebay.messages import mapping
from connectors.ebay.messages.mapping import EBAY, MEMBERS, Read
from connectors.ebay.messages.payload import Conversations, Entries
from core.errors import BadPayload, Unreachable
from core.model import Page, SetAside
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.ebay.access import Access
    from connectors.ebay.messages.payload import Conversation, Entry
    from connectors.ebay.options import EbayOptions
    from core.transport.salvage import Salvaged

BASE = "/commerce/message/v1"
LIST, DETAIL = "getConversations", "getConversation"

AT_ONCE = 50
"""The most conversations, or messages of one, in an answer; an offset is a multiple of it."""

MOST_PAGES = 10_000
MOST_MESSAGES = 1_000
"""How many messages of one conversation are read in a walk; a look reads ten times as many."""

SIDE_BY_SIDE = 4
WHOLE_WITHIN = 35.0
"""So many conversations of a page are read at the same time, all within so many seconds; the others
are flagged as incomplete, and looked at by themselves."""

MOST_FAILED = 3
"""So many conversations of a page that cannot be reached, and none that can, mean that eBay cannot
be reached."""

MOST_REMEMBERED = 500
GONE = frozenset({"404", "410"})
NO_SUCH = frozenset({refusals.UNKNOWN_CONVERSATION, 355007})
"""The errors that mean that there is no such conversation, whatever the status."""


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
            at, read = mapping.instant(told["at"]), dict(told["read"])
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
    page, *read* those read to their end, each with its newest message and that one's instant. *is
    short*: the list shrank under our eyes, so that one may have slipped by.
    """

    offset: int = 0
    seen: str = ""
    total: int | None = None
    is_short: bool = False
    read: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, position: str | None) -> Walk:
        """What `write` wrote; a new walk for None."""
        return cls(**json.loads(position)) if position else cls()

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))


@dataclass(slots=True)
class _Found:
    """What a page of a list has led to."""

    reads: list[Read] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    whole: dict[str, str] = field(default_factory=dict)
    failed: int = 0


class Reading:
    """Reads the conversations of one account; keeps nothing between calls."""

    def __init__(self, access: Access, options: EbayOptions) -> None:
        self._access, self._options = access, options

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of what members wrote since the cursor, and in an overlap before it.

        Always narrowed to a window: of a large mailbox the whole list is refused (trap 30).
        """
        since = self._since(cursor, now)
        return await self._page(MEMBERS, {"start_time": stamp(since)}, since, cursor, position, now)

    async def fetch_notices(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of what eBay wrote; these lists take no window, so the walk ends by itself."""
        return await self._page(EBAY, {}, self._since(cursor, now), cursor, position, now)

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These conversations whole; unknown ones are left out."""
        found = _Found()
        for thread in threads:
            for type_ in (MEMBERS, EBAY):
                if await self._look(thread, type_, found):
                    break
        page = mapping.page(found.reads, self._access.own, now)
        return _with(page, found.aside)

    async def _look(self, thread: str, type_: str, found: _Found) -> bool:
        """Whether there is a conversation of this id and type."""
        try:
            read = await self._whole(thread, type_, found, 10 * MOST_MESSAGES)
        except BadPayload as fault:
            if _is_gone(fault):
                return False
            raise
        if read.entries:
            found.reads.append(read)
        return bool(read.entries)

    def _since(self, cursor: str | None, now: datetime) -> datetime:
        mark = Mark.parse(cursor)
        return mark.at - self._options.overlap if mark else now - self._options.look_back

    async def _page(
        self,
        type_: str,
        window: Mapping[str, str],
        since: datetime,
        cursor: str | None,
        position: str | None,
        now: datetime,
    ) -> Page:
        walk, mark = Walk.parse(position), Mark.parse(cursor)
        got = await self._listed(type_, window, walk.offset)
        known = mark.read if mark else {}
        changed, same = _sorted(got.value.conversations, type_, known, since, now)
        found = await self._read(changed, type_)
        page = _with(mapping.page(found.reads, self._access.own, now), [*got.aside, *found.aside])
        after = self._after(walk, got.value, {**same, **found.whole}, since, now)
        if _goes_on(got, walk.offset) and (window or not _is_past(got.value, since, now)):
            if walk.offset >= MOST_PAGES * AT_ONCE:
                raise BadPayload(f"{LIST}: the walk does not end")
            return _at(page, position=after.write(), more=True)
        return _at(page, cursor=self._ended(after, mark, now).write())

    async def _listed(
        self, type_: str, window: Mapping[str, str], offset: int
    ) -> Salvaged[Conversations]:
        params = {"conversation_type": type_, "limit": str(AT_ONCE), "offset": str(offset)}
        return await self._access.get_items(
            "api",
            f"{BASE}/conversation",
            Conversations,
            operation=LIST,
            params={**params, **window},
            names=mapping.NAMES,
        )

    def _after(
        self,
        walk: Walk,
        listed: Conversations,
        whole: Mapping[str, str],
        since: datetime,
        now: datetime,
    ) -> Walk:
        """The position after a page; what lies too far back to be listed again is forgotten."""
        at = {one.id: mapping.written_at(one.latest, now) for one in listed.conversations}
        newest = max([when for when in at.values() if when], default=since)
        seen = max(newest, mapping.instant(walk.seen) or since)
        read = {**walk.read, **{id_: (message, _iso(at[id_])) for id_, message in whole.items()}}
        bound = _iso(seen - self._options.overlap)
        near = [(id_, pair) for id_, pair in read.items() if pair[1] >= bound]
        near.sort(key=lambda each: each[1][1], reverse=True)
        shrank = None not in (walk.total, listed.total) and (listed.total or 0) < (walk.total or 0)
        return Walk(
            offset=walk.offset + AT_ONCE,
            seen=seen.isoformat(),
            total=listed.total if listed.total is not None else walk.total,
            is_short=walk.is_short or shrank,
            read=dict(near[:MOST_REMEMBERED]),
        )

    def _ended(self, walk: Walk, mark: Mark | None, now: datetime) -> Mark:
        """Where the next walk starts: the newest message seen, never later than this one's begin.

        Where the list shrank it starts where this one did, and reads on only what it has not read.
        """
        read = {id_: pair[0] for id_, pair in walk.read.items()}
        begin = mark.at if mark else now - self._options.look_back
        seen = mapping.instant(walk.seen) or begin
        return Mark(begin if walk.is_short else max(begin, min(seen, now)), read)

    async def _read(self, changed: Sequence[Conversation], type_: str) -> _Found:
        """The whole of these conversations, a few at a time; what fails keeps its last message.

        Raises:
            BadCredentials, RateLimited: all the rest would be answered so too.
            Unreachable: several could not be reached: so it is with eBay, not with them.
        """
        found, until = _Found(), monotonic() + WHOLE_WITHIN
        for begin in range(0, len(changed), SIDE_BY_SIDE):
            few = changed[begin : begin + SIDE_BY_SIDE]
            await gathered(self._read_one(one, type_, found, until) for one in few)
        return found

    async def _read_one(self, one: Conversation, type_: str, found: _Found, until: float) -> None:
        part = _part(one, type_)
        try:
            async with asyncio.timeout(max(0.0, until - monotonic())):
                read = await self._whole(one.id, type_, found, MOST_MESSAGES, part)
        except (BadPayload, Unreachable, TimeoutError) as fault:
            found.reads.append(part)
            if isinstance(fault, Unreachable):
                found.failed += 1
                if found.failed >= MOST_FAILED and not found.whole:
                    raise
            elif isinstance(fault, BadPayload) and not _is_gone(fault):
                found.aside.append(SetAside(one.id, str(fault), fault.raw))
            return
        found.reads.append(read)
        if one.latest is not None and not read.incomplete:
            found.whole[one.id] = one.latest.id

    async def _whole(
        self, id_: str, type_: str, found: _Found, most: int, part: Read | None = None
    ) -> Read:
        """A conversation page by page; *part* is what the list told of it.

        Nobody documents the order of its messages: it is read to the end. What the list told
        counts, whatever the whole lacks.
        """
        entries: dict[str, Entry] = {entry.id: entry for entry in (part.entries if part else ())}
        title, offset = None, 0
        while True:
            got = await self._messages(id_, type_, offset)
            entries |= {entry.id: entry for entry in got.value.messages}
            found.aside += got.aside
            title = title or got.value.title
            goes_on = _goes_on(got, offset)
            offset += AT_ONCE
            if not goes_on or offset >= most:
                break
        return Read(
            id_,
            part.type if part else type_,
            tuple(entries.values()),
            title or (part.title if part else None),
            part.created if part else None,
            incomplete=goes_on,
        )

    async def _messages(self, id_: str, type_: str, offset: int) -> Salvaged[Entries]:
        return await self._access.get_items(
            "api",
            f"{BASE}/conversation/{quote(id_, safe='')}",
            Entries,
            operation=DETAIL,
            params={"conversation_type": type_, "limit": str(AT_ONCE), "offset": str(offset)},
            names=mapping.NAMES,
        )


def stamp(at: datetime) -> str:
    """An instant as eBay wants it in a query."""
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def _sorted(
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


def _is_gone(fault: BadPayload) -> bool:
    return fault.detail in GONE or not NO_SUCH.isdisjoint(refusals.ids(fault.raw))


def _part(one: Conversation, type_: str) -> Read:
    """What the list alone tells of a conversation."""
    entries = () if one.latest is None else (one.latest,)
    return Read(one.id, one.type or type_, entries, one.title, one.created, incomplete=True)


def _goes_on(got: Salvaged[Conversations] | Salvaged[Entries], offset: int) -> bool:
    value = got.value
    came = len(value.conversations if isinstance(value, Conversations) else value.messages)
    if value.total is not None:
        return came + len(got.aside) > 0 and offset + AT_ONCE < value.total
    return bool(value.next) and came + len(got.aside) > 0


def _is_past(listed: Conversations, since: datetime, now: datetime) -> bool:
    """Whether a list without a window has come to what lies before *since*.

    Only where the page is in order, the newest first: it was observed so, and is not documented.
    """
    at = [mapping.written_at(one.latest, now) for one in listed.conversations]
    dated = [when for when in at if when is not None]
    in_order = len(dated) == len(at) and dated == sorted(dated, reverse=True)
    return in_order and bool(dated) and dated[-1] < since


def _iso(at: datetime | None) -> str:
    return at.isoformat(timespec="microseconds") if at else ""


def _with(page: Page, aside: Iterable[SetAside]) -> Page:
    return Page(messages=page.messages, threads=page.threads, set_aside=(*aside, *page.set_aside))


def _at(
    page: Page, *, position: str | None = None, cursor: str | None = None, more: bool = False
) -> Page:
    return Page(
        messages=page.messages,
        threads=page.threads,
        set_aside=page.set_aside,
        position=position,
        cursor=cursor,
        more=more,
    )
