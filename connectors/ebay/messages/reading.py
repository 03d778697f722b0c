"""Walks of conversations, and looks at single ones: only what changed costs a call of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors.ebay import refusals
from connectors.ebay.messages import mapping, walking
from connectors.ebay.messages.mapping import EBAY, MEMBERS, Read
from connectors.ebay.messages.payload import Conversations, Entries
from connectors.ebay.messages.walking import AT_ONCE, Mark, Walk
from core.errors import BadPayload, Unreachable
from core.model import SetAside
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.ebay.access import Access
    from connectors.ebay.messages.payload import Conversation, Entry
    from connectors.ebay.options import EbayOptions
    from core.model import Page
    from core.transport.salvage import Salvaged

BASE = "/commerce/message/v1"
LIST, DETAIL = "getConversations", "getConversation"

MOST_MESSAGES = 1_000
"""How many messages of one conversation are read in a walk; a look reads ten times as many."""

SIDE_BY_SIDE = 4
WHOLE_WITHIN = 35.0
"""So many conversations of a page are read at the same time, all within so many seconds; the others
are flagged as incomplete, and looked at by themselves."""

MOST_FAILED = 3
"""So many conversations of a page that cannot be reached, and none that can, mean that eBay cannot
be reached: the rest keep what the list told of them, and the walk breaks off once that is stored.
The next walk leaves out those that failed: they are looked at by themselves."""

GONE = frozenset({"404", "410"})
NO_SUCH = frozenset({refusals.UNKNOWN_CONVERSATION, 355007})
"""The errors that mean that there is no such conversation, whatever the status."""


@dataclass(slots=True)
class _Found:
    """What a page of a list has led to."""

    reads: list[Read] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    whole: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def is_in_vain(self) -> bool:
        """Whether eBay seems not to be reached at all."""
        return len(self.failed) >= MOST_FAILED and not self.whole


class Reading:
    """Reads the conversations of one account.

    Between calls it keeps which conversations, each with its newest message, could not be reached
    when none could: until one can.
    """

    def __init__(self, access: Access, options: EbayOptions) -> None:
        self._access, self._options = access, options
        self._owed: dict[str, str] = {}

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
        return _with(await self._mapped(found, now), found.aside)

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
        if walk.is_failing:
            raise Unreachable(f"{DETAIL}: no conversation can be read")
        got = await self._listed(type_, window, walk.offset)
        known = mark.read if mark else {}
        changed, same = walking.parted(got.value.conversations, type_, known, since, now)
        found = await self._read(changed, type_)
        page = _with(await self._mapped(found, now), [*got.aside, *found.aside])
        whole = {**same, **found.whole}
        after = walk.after(got.value, whole, since, self._options.overlap, now)
        if found.is_in_vain:
            return replace(page, position=replace(after, is_failing=True).write(), more=True)
        is_past = not window and walking.is_past(got.value, since, now)
        if walking.goes_on(got, walk.offset) and not is_past:
            return replace(page, position=after.write(), more=True)
        begin = mark.at if mark else since
        return replace(page, cursor=after.ended(begin, now).write())

    async def _mapped(self, found: _Found, now: datetime) -> Page:
        """What was read, as a page.

        Where neither side of a message is known to be the seller, eBay is asked what it calls the
        seller. While it cannot be asked, whoever wrote waits as a buyer does, and the conversation
        is flagged as incomplete: it is looked at by itself.
        """
        doubted = [one for one in found.reads if mapping.is_undecided(one, self._access.own)]
        if doubted and not await self._access.seller.learn(anew=True):
            ids = {one.id for one in doubted}
            found.reads = [replace(o, incomplete=o.incomplete or o.id in ids) for o in found.reads]
        return mapping.page(found.reads, self._access.own, now)

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

    async def _read(self, changed: Sequence[Conversation], type_: str) -> _Found:
        """The whole of these conversations, a few at a time; what fails keeps its last message.

        Raises:
            BadCredentials, RateLimited: all the rest would be answered so too.
        """
        found, until = _Found(), monotonic() + WHOLE_WITHIN
        tried = [one for one in changed if self._owed.get(one.id) != _newest(one)]
        left = [one for one in changed if self._owed.get(one.id) == _newest(one)]
        while tried and not found.is_in_vain:
            few, tried = tried[:SIDE_BY_SIDE], tried[SIDE_BY_SIDE:]
            await gathered(self._read_one(one, type_, found, until) for one in few)
        found.reads += [_part(one, type_) for one in (*left, *tried)]
        if found.whole:
            self._owed.clear()
        elif found.is_in_vain:
            self._owed |= found.failed
        return found

    async def _read_one(self, one: Conversation, type_: str, found: _Found, until: float) -> None:
        part = _part(one, type_)
        try:
            async with asyncio.timeout(max(0.0, until - monotonic())):
                read = await self._whole(one.id, type_, found, MOST_MESSAGES, part)
        except BadPayload as fault:
            found.reads.append(replace(part, incomplete=not _is_told_gone(fault)))
            if not _is_gone(fault):
                found.aside.append(SetAside(one.id, str(fault), fault.raw))
        except (Unreachable, TimeoutError):
            found.reads.append(part)
            found.failed[one.id] = _newest(one)
        else:
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
        title, offset, pages, goes_on = None, 0, 0, True
        while goes_on and offset < most:
            got = await self._messages(id_, type_, offset)
            entries |= {entry.id: entry for entry in got.value.messages}
            found.aside += got.aside
            title = title or got.value.title
            goes_on = walking.goes_on(got, offset)
            offset = walking.onward(got.value, offset, pages)
            pages += 1
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


def _is_gone(fault: BadPayload) -> bool:
    return fault.detail in GONE or _is_told_gone(fault)


def _is_told_gone(fault: BadPayload) -> bool:
    """Whether eBay itself says that there is none: a 404 alone may come from any machine."""
    return not NO_SUCH.isdisjoint(refusals.ids(fault.raw))


def _newest(one: Conversation) -> str:
    """The id of its newest message, as the list told it."""
    return "" if one.latest is None else one.latest.id


def _part(one: Conversation, type_: str) -> Read:
    """What the list alone tells of a conversation."""
    entries = () if one.latest is None else (one.latest,)
    return Read(one.id, one.type or type_, entries, one.title, one.created, incomplete=True)


def _with(page: Page, aside: Iterable[SetAside]) -> Page:
    return replace(page, set_aside=(*aside, *page.set_aside))
