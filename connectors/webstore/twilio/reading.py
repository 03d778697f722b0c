"""A walk through the messages: those to our number, then those from it, the newest first.

A message of ours may arrive, or fail, as long as Twilio tries: now and then ours are read again so
far back, the net under a status callback that was lost.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore.twilio import mapping, paging
from connectors.webstore.twilio.paging import Begin, Walk
from connectors.webstore.twilio.payload import count
from core.errors import BadPayload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.twilio.api import Api
    from connectors.webstore.twilio.options import TwilioOptions
    from connectors.webstore.twilio.payload import Medium, Text
    from core.model import Page

IN, OUT = "in", "out"
SIDE = {IN: "To", OUT: "From"}

UNDER_WAY = timedelta(hours=10)
"""So long Twilio tries to deliver a message (``ValidityPeriod``: 36,000 s at most)."""

AGAIN = timedelta(minutes=15)
"""So often ours are read again as far back as that."""

GONE = frozenset({"404", "410"})


class Reading:
    """Reads one number's messages."""

    def __init__(self, api: Api, options: TwilioOptions) -> None:
        self._api, self._options = api, options

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of one of the two lists."""
        begin = Begin.read(cursor, self._options.look_back, now)
        sweeps = begin.swept is None or now - begin.swept >= AGAIN
        walk = Walk.read(position, IN)
        since = begin.since - self._back(walk, sweeps=sweeps) if cursor else begin.since
        got = await self._api.texts(**self._asked(walk, since))
        texts = got.value.messages
        page = mapping.page(texts, await self.files(texts), self._options, now, got.aside)
        walk = walk.seen((mapping.stamp(one) for one in texts), now)
        further = walk.onward(got.value.next_page_uri)
        if further is None and walk.list == IN:
            further = Walk(OUT, newest=walk.newest)
        if further is not None:
            return replace(page, position=further.write(), more=True)
        return replace(page, cursor=begin.after(walk, now if sweeps else begin.swept))

    async def files(self, texts: Sequence[Text]) -> dict[str, Sequence[Medium]]:
        """The files of those that have some; of those that Twilio no longer keeps none."""
        found: dict[str, Sequence[Medium]] = {}
        for one in texts:
            if count(one.num_media):
                try:
                    found[one.sid] = (await self._api.media(one.sid)).value.media_list
                except BadPayload as fault:
                    if fault.detail not in GONE:
                        raise
        return found

    def _back(self, walk: Walk, *, sweeps: bool) -> timedelta:
        """How far before its begin a later walk reads again."""
        more = UNDER_WAY if walk.list == OUT and sweeps else timedelta()
        return self._options.overlap + more

    def _asked(self, walk: Walk, since: datetime) -> dict[str, str]:
        return {
            SIDE[walk.list]: self._options.number,
            "DateSent>": paging.date(since),
            "PageSize": str(paging.AT_ONCE),
            **walk.asked,
        }
