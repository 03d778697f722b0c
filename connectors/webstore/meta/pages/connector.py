"""The connector of a page or profile: conversations are read, pushes come in, answers leave."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore.meta import receiving, registered, subscribing, window
from connectors.webstore.meta.access import Access
from connectors.webstore.meta.pages import answering, mapping, offer
from connectors.webstore.meta.pages.payload import Answered, Conversations
from connectors.webstore.meta.pages.payload import Page as Shown
from core.connector import Sent
from core.errors import BadPayload, Refused
from core.model import Page
from core.model import merged as together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from connectors.webstore.meta.pages.options import PageOptions
    from connectors.webstore.meta.pages.platform import Platform
    from core.connector import Transport
    from core.model import Draft, Thread
    from core.pushes import PushRequest, Receipt
    from core.transport.salvage import Salvaged

AT_ONCE, MESSAGES = 25, 20
"""Conversations an answer, and messages of each: of older ones Meta tells no details
(Conversations API, read 2026-11-22)."""

FIELDS = (
    "id,updated_time,participants,"
    f"messages.limit({MESSAGES}){{id,created_time,from,to,message,attachments}}"
)
NAMES = ("id",)


class Pages:
    """One page, or the profile that hangs on it."""

    def __init__(self, options: PageOptions, platform: Platform, transport: Transport) -> None:
        self._options, self._platform = options, platform
        self._access = Access(transport.http, options)

    async def check(self) -> tuple[str, ...]:
        """Ask for the page, for one conversation, as reading does, and for the token."""
        await self._access.get(
            self._options.page_id, Shown, operation=offer.SHOW, params={"fields": "id"}
        )
        await self._listed({"limit": "1"})
        return await registered.unwritten(self._access, self._options)

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of conversations, the newest first, back to the cursor; or how all stands."""
        if stream == offer.STANDING:
            return await self._standing(now)
        since = self._since(cursor, now)
        newest, count, after = (position or " 0 ").split(" ", 2)
        found = await self._listed({"limit": str(AT_ONCE), **({"after": after} if after else {})})
        instants = [mapping.updated(one) for one in found.value.data]
        known = [at for at in instants if at is not None]
        newest = newest or min(max(known, default=since), now).isoformat()
        further = _after(found.value)
        if further and (not known or min(known) >= since):
            return self._page(
                found, now, position=f"{newest} {int(count) + 1} {further}", more=True
            )
        return self._page(found, now, cursor=newest)

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """The chats with these people as they are now; unknown ones are left out."""
        pages = []
        for person in threads:
            if person.isascii() and person.isdigit():
                found = await self._listed({"user_id": person, "limit": "1"})
                pages.append(self._page(found, now))
        read = together(pages)
        wanted = frozenset(threads)
        return Page(
            messages=tuple(m for m in read.messages if m.thread in wanted),
            threads=tuple(t for t in read.threads if t.id in wanted),
            set_aside=read.set_aside,
        )

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check who has sent it, and translate; it may concern other accounts of the app."""
        return receiving.receive(request, self._options, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Send once, while the window is open.

        Where it has shut by what we know, the chat is read again: the buyer may have written since.
        """
        why = answering.refuses(thread, draft.to) or answering.too_long(draft, self._platform)
        if why is not None:
            raise Refused(why, detail="refused")
        if window.lapsed(thread, window.DAY, now) is not None:
            thread = await self._still_open(thread, now)
        answer = await self._access.send(
            f"{self._options.page_id}/messages",
            answering.written(thread, draft, now),
            operation=offer.SEND,
        )
        try:
            return Sent(Answered.model_validate_json(answer.body).message_id)
        except ValidationError:
            return Sent(None)

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Set up what is missing; see `core.pushes.Subscribes`."""
        del contact, now
        wanted = offer.wanted(self._options, self._platform)
        return subscribing.set_up(self._access, self._options, wanted)

    async def _still_open(self, thread: Thread, now: datetime) -> Thread:
        """The thread as it is now; as it is stored where that cannot be read.

        Raises:
            Refused: no answer may leave any more.
        """
        try:
            read = (await self.look([thread.id], now)).threads
        except BadPayload:
            read = ()
        known = next((one for one in read if one.id == thread.id), thread)
        at = window.lapsed(known, offer.within(self._options), now)
        if at is not None:
            raise Refused(window.told(at, answering.AGAIN), detail="window")
        return known

    async def _standing(self, now: datetime) -> Page:
        wanted = offer.wanted(self._options, self._platform)
        troubles = await registered.troubles(self._access, self._options, wanted)
        ends = await registered.token(self._access, self._options, now)
        return Page(published=ends, pushes=troubles, cursor=now.isoformat())

    async def _listed(self, params: Mapping[str, str]) -> Salvaged[Conversations]:
        asked = {"platform": self._platform.word, "fields": FIELDS, **params}
        path = f"{self._options.page_id}/conversations"
        return await self._access.items(path, Conversations, operation=offer.LIST, params=asked)

    def _page(
        self,
        found: Salvaged[Conversations],
        now: datetime,
        *,
        cursor: str | None = None,
        position: str | None = None,
        more: bool = False,
    ) -> Page:
        word, own = self._platform.word, self._options.own_id
        pattern = self._options.order_pattern
        messages, threads = mapping.page(found.value.data, word, own, now, pattern)
        return Page(
            messages, threads, set_aside=found.aside, cursor=cursor, position=position, more=more
        )

    def _since(self, cursor: str | None, now: datetime) -> datetime:
        if cursor is None:
            return now - self._options.look_back
        return datetime.fromisoformat(cursor) - self._options.overlap


def _after(found: Conversations) -> str:
    """Where the next page begins; empty after the last."""
    paging = found.paging
    if paging is None or not paging.next or paging.cursors is None:
        return ""
    return paging.cursors.after or ""
