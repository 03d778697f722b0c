"""A walk through the calls of the account, legs among them, the newest first.

A leg begins after its call, so it comes on the same page or on an earlier one. A call is listed by
its begin and known by its end: as far back as a call lasts, all are read again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore.twilio import paging, voice
from connectors.webstore.twilio.paging import Begin, Walk
from connectors.webstore.twilio.voice import Heard
from core.errors import BadPayload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.twilio.api import Api
    from connectors.webstore.twilio.options import TwilioOptions
    from connectors.webstore.twilio.payload import Call, Recording, Transcription
    from core.model import Page, SetAside

ALL = "all"
LONGEST_CALL = timedelta(hours=4)
"""So long a call lasts where nothing else was said (``TimeLimit``: 14,400 s)."""

GONE = frozenset({"404", "410"})
MOST_PAGES = 20
"""So many pages of recordings are read for one page of calls."""

MOST_LOOKED = 20
"""So many calls of each direction a look shows: legs and recordings are two questions for each."""


class Calling:
    """Reads one number's calls."""

    def __init__(self, api: Api, options: TwilioOptions) -> None:
        self._api, self._options = api, options

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of calls, with their voicemails."""
        begin = Begin.read(cursor, self._options.look_back, now)
        walk = Walk.read(position, ALL)
        back = self._options.overlap + LONGEST_CALL if cursor else timedelta()
        asked = {"StartTime>": paging.date(begin.since - back), "PageSize": str(paging.AT_ONCE)}
        got = await self._api.calls(**asked, **walk.asked)
        calls = tuple(got.value.calls)
        taken = voice.taken_of(calls) | frozenset(walk.taken)
        heard = await self._heard(calls, taken, got.aside)
        page = voice.page(heard, self._options, now)
        here = {one.sid for one in calls}
        walk = walk.seen(map(voice.began_at, calls), now)
        further = replace(walk, taken=tuple(sorted(taken - here))).onward(got.value.next_page_uri)
        if further is not None:
            return replace(page, position=further.write(), more=True)
        return replace(page, cursor=begin.after(walk))

    async def _heard(
        self, calls: tuple[Call, ...], taken: frozenset[str], aside: tuple[SetAside, ...]
    ) -> Heard:
        recordings, more = await self._recordings(calls)
        texts = await self._texts(recordings)
        ours = await self.parents(calls)
        return Heard(calls, taken, ours, recordings, texts, (*aside, *more))

    async def parents(self, calls: Sequence[Call]) -> frozenset[str]:
        """Calls to our number whose legs are among *calls*, and they are not.

        One that Twilio no longer shows counts as such: what is unknown answers nothing.
        """
        here, found = {one.sid for one in calls}, set[str]()
        for leg in calls:
            parent = leg.parent_call_sid
            if not parent or parent in here | found or leg.from_ != self._options.number:
                continue
            try:
                if voice.is_to_us(await self._api.call(parent), self._options):
                    found.add(parent)
            except BadPayload as fault:
                if fault.detail not in GONE:
                    raise
                found.add(parent)
        return frozenset(found)

    async def _recordings(
        self, calls: Sequence[Call]
    ) -> tuple[tuple[Recording, ...], tuple[SetAside, ...]]:
        """What was recorded during the calls to us, and shortly after they began."""
        begun = [at for one in calls if voice.is_to_us(one, self._options)
                 and (at := voice.began_at(one))]  # fmt: skip
        if not begun:
            return (), ()
        asked = {
            "DateCreated>": paging.date(min(begun)),
            "DateCreated<": paging.date(max(begun) + LONGEST_CALL),
            "PageSize": str(paging.AT_ONCE),
        }
        found, aside, walk = list["Recording"](), list["SetAside"](), Walk(ALL)
        for _ in range(MOST_PAGES):
            got = await self._api.recordings(**asked, **walk.asked)
            found += got.value.recordings
            aside += got.aside
            further = walk.onward(got.value.next_page_uri)
            if further is None:
                break
            walk = further
        return tuple(found), tuple(aside)

    async def _texts(self, recordings: Sequence[Recording]) -> tuple[Transcription, ...]:
        """What was understood of voicemails among *recordings*, where it is to be read."""
        if not self._options.transcriptions or not any(map(voice.is_voicemail, recordings)):
            return ()
        got = await self._api.transcriptions(PageSize=str(paging.AT_ONCE))
        return tuple(got.value.transcriptions)

    async def of_caller(self, theirs: str, now: datetime) -> Page:
        """The calls with one caller, by single calls: for a look."""
        ours, size = self._options.number, str(MOST_LOOKED)
        to_us = (await self._api.calls(From=theirs, To=ours, PageSize=size)).value
        from_us = (await self._api.calls(From=ours, To=theirs, PageSize=size)).value
        page = await self.whole((*to_us.calls, *from_us.calls), now)
        if not (to_us.next_page_uri or from_us.next_page_uri):
            return page
        cut = tuple(one.model_copy(update={"incomplete": True}) for one in page.threads)
        return replace(page, threads=cut)

    async def whole(self, calls: tuple[Call, ...], now: datetime) -> Page:
        """These calls with their legs and voicemails."""
        legs, recordings = list["Call"](), list["Recording"]()
        for one in calls:
            if voice.is_to_us(one, self._options):
                legs += (await self._api.calls(ParentCallSid=one.sid)).value.calls
                recordings += (await self._api.recordings(one.sid)).value.recordings
        ours, taken = await self.parents(calls), voice.taken_of(legs)
        texts = await self._texts(recordings)
        return voice.page(Heard(calls, taken, ours, tuple(recordings), texts), self._options, now)
