"""Single threads, whole.

A thread's id is a digest: whose it is shows as soon as the lists, the newest first, name somebody
whose thread has it. All that was said with that address is then one question for each direction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.webstore.twilio import identity, mapping
from connectors.webstore.twilio.paging import Walk
from core.errors import BadPayload
from core.model import merged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.twilio.api import Api
    from connectors.webstore.twilio.calling import Calling
    from connectors.webstore.twilio.options import TwilioOptions
    from connectors.webstore.twilio.payload import Call, Text
    from connectors.webstore.twilio.reading import Reading
    from core.model import Page

MOST_PAGES = 20
"""So many pages of each list are searched: threads that slept longer are not found."""

PAGE_SIZE = "1000"
GONE = frozenset({"404", "410"})


class Looking:
    """Looks at threads of one number."""

    def __init__(
        self, api: Api, options: TwilioOptions, reading: Reading, calling: Calling
    ) -> None:
        self._api, self._options = api, options
        self._reading, self._calling = reading, calling

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These threads with all their messages; unknown ones are left out."""
        prefix = {one: one.partition(":")[0] for one in threads}
        chats = {one for one, told in prefix.items() if told != identity.CALL_THREAD and ":" in one}
        calls = {one for one, told in prefix.items() if told == identity.CALL_THREAD}
        pages = [await self._chat(one, now) for one in await self._chats(chats)]
        if calls and self._options.hears_calls:
            pages += await self._calls(calls, now)
        page = merged(pages)
        known = {one.id for one in page.threads} & set(threads)
        return replace(
            page,
            threads=tuple(one for one in page.threads if one.id in known),
            messages=tuple(one for one in page.messages if one.thread in known),
            pushes=None,
        )

    async def _chats(self, wanted: set[str]) -> list[str]:
        """The addresses whose threads are *wanted*."""
        ours = self._options.number

        def by(text: Text) -> tuple[str, str]:
            theirs = (text.from_ if text.to == ours else text.to) or ""
            return identity.chat(ours, theirs), theirs

        found: dict[str, str] = {}
        for side in ("To", "From"):
            walk: Walk | None = Walk(side)
            for _ in range(MOST_PAGES):
                if walk is None or wanted <= found.keys():
                    break
                got = await self._api.texts(**{side: ours, "PageSize": PAGE_SIZE}, **walk.asked)
                found |= {id_: one for id_, one in map(by, got.value.messages) if id_ in wanted}
                walk = walk.onward(got.value.next_page_uri)
        return list(found.values())

    async def _chat(self, theirs: str, now: datetime) -> Page:
        """All that was written with *theirs*."""
        ours = self._options.number
        pages = [
            await self._written(now, From=theirs, To=ours),
            await self._written(now, From=ours, To=theirs),
        ]
        whole = merged(pages)
        newest = {one.id: one for one in sorted(whole.threads, key=lambda one: one.as_of)}
        return replace(whole, threads=tuple(newest.values()))

    async def _written(self, now: datetime, **asked: str) -> Page:
        pages, walk = list["Page"](), Walk("look")
        for _ in range(MOST_PAGES):
            got = await self._api.texts(**asked, PageSize=PAGE_SIZE, **walk.asked)
            files = await self._reading.files(got.value.messages)
            pages.append(mapping.page(got.value.messages, files, self._options, now, got.aside))
            further = walk.onward(got.value.next_page_uri)
            if further is None:
                return merged(pages)
            walk = further
        whole = merged(pages)
        cut = tuple(one.model_copy(update={"incomplete": True}) for one in whole.threads)
        return replace(whole, threads=cut)

    async def _calls(self, wanted: set[str], now: datetime) -> list[Page]:
        """The pages of callers whose threads are *wanted*, and of calls of hidden numbers."""
        pages = [await self._single(one, now) for one in wanted if identity.CALL_SID.search(one)]
        named = {one for one in wanted if not identity.CALL_SID.search(one)}
        found: dict[str, str] = {}
        for side in ("To", "From"):
            walk: Walk | None = Walk(side)
            for _ in range(MOST_PAGES):
                if walk is None or named <= found.keys():
                    break
                asked = {side: self._options.number, "PageSize": PAGE_SIZE}
                got = await self._api.calls(**asked, **walk.asked)
                found |= {
                    id_: one for id_, one in map(self._caller, got.value.calls) if id_ in named
                }
                walk = walk.onward(got.value.next_page_uri)
        return [*pages, *[await self._calling.of_caller(one, now) for one in found.values()]]

    def _caller(self, call: Call) -> tuple[str, str]:
        ours = self._options.number
        theirs = (call.from_ if call.to == ours else call.to) or ""
        return identity.caller(ours, theirs, call.sid), theirs

    async def _single(self, thread: str, now: datetime) -> Page:
        """The call of a hidden number, whose sid its thread is named by."""
        try:
            call = await self._api.call(thread.partition(":")[2])
        except BadPayload as fault:
            if fault.detail in GONE:
                return merged(())
            raise
        return await self._calling.whole((call,), now)
