"""A walk through a store's list.

It asks for what changed since the newest instant that was read, and an overlap before it; a list
that cannot be asked so is read from its begin until what lies before that, or whole.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connectors.webstore.generic import mapping, paging
from connectors.webstore.generic.paging import Came, Walk
from core.errors import RateLimited
from core.payload import instant

if TYPE_CHECKING:
    from connectors.webstore.generic.api import Api, Listed
    from connectors.webstore.generic.asking import Poll
    from connectors.webstore.generic.mapping import Translated
    from connectors.webstore.generic.options import GenericOptions
    from core.model import Page

LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class Reading:
    """Reads the list of one account."""

    def __init__(self, api: Api, options: GenericOptions, poll: Poll) -> None:
        self._api, self._options, self._poll = api, options, poll

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """The next page of the list; where pages have numbers, the one before once more.

        Raises:
            RateLimited: the page before said that hardly a call is left.
        """
        walk = Walk.read(position) if position else self._begin(cursor, now)
        if walk.wait is not None:
            raise RateLimited("poll: the store's limit is almost used up", retry_after=walk.wait)
        got = await self._api.listed(self._poll, walk)
        made = mapping.translated(got.items, self._options.mapping)
        told = [one.changed_at for one in made.read if one.changed_at is not None]
        again = paging.before(self._poll, walk)
        if again is not None:
            more = await self._api.listed(self._poll, again)
            made += mapping.translated(more.items, self._options.mapping)
        page = mapping.page(made, self._options, now)
        return self._onward(page, walk, got, told, now)

    async def sample(self) -> Translated:
        """What one page of the list comes to; a list without pages is asked for nothing.

        Raises:
            ConnectorError: it could not be read.
        """
        is_whole = self._poll.paging is None and self._poll.since is not None
        begin = (FAR_AHEAD if is_whole else LONG_AGO).isoformat()
        got = await self._api.listed(self._poll, Walk(begin, begin))
        return mapping.translated(got.items, self._options.mapping)

    def _begin(self, cursor: str | None, now: datetime) -> Walk:
        known = _since(cursor)
        if known is None:
            begin = (now - self._options.look_back).isoformat()
            return Walk(begin, begin)
        return Walk((known - self._options.overlap).isoformat(), known.isoformat())

    def _onward(
        self, page: Page, walk: Walk, got: Listed, told: list[datetime], now: datetime
    ) -> Page:
        """*page*, with where the walk stands after it; *told* are the instants of *got*."""
        walk = replace(walk, newest=paging.newest(walk, told, now))
        marks = [mapping.mark(one, self._options.mapping) for one in got.items]
        came = Came(got.document, paging.headed(got.headers, "link"), marks)
        onward = paging.after(self._poll, walk, came)
        if onward is None or self._is_behind(walk, told):
            return replace(page, cursor=_written(walk))
        onward = replace(onward, wait=self._wait(got))
        return replace(page, position=onward.write(), more=True)

    def _is_behind(self, walk: Walk, told: list[datetime]) -> bool:
        """Whether all that comes next lies before what the walk asks for."""
        since = instant(walk.since)
        return self._poll.newest_first and bool(told) and since is not None and max(told) < since

    def _wait(self, got: Listed) -> float | None:
        rate = self._poll.rate
        if rate is None:
            return None
        left, reset = (paging.headed(got.headers, name) for name in (rate.left, rate.reset))
        return paging.waiting(left, reset, rate.keep)


def _since(cursor: str | None) -> datetime | None:
    if cursor is None:
        return None
    told: dict[str, Any] = json.loads(cursor)
    return instant(told["since"])


def _written(walk: Walk) -> str:
    """The cursor: the newest instant that was read, by the store's clock; never an earlier one."""
    since = max(one for one in (instant(walk.known), instant(walk.newest)) if one is not None)
    return json.dumps({"since": since.isoformat()})
