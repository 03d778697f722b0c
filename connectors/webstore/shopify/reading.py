"""Walks through the orders that changed and through disputes, and looks at single ones.

A walk is read whole or begun anew (its cursor comes with the last page): only so is it known which
orders are new since the last one, and a note on these alone is the buyer's (`mapping`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore.shopify import disputes, mapping
from connectors.webstore.shopify.api import Part
from core.errors import BadPayload
from core.model import Page
from core.payload import instant
from core.transport import salvage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.shopify.api import Api
    from connectors.webstore.shopify.options import ShopifyOptions
    from connectors.webstore.shopify.payload import Order, PageInfo
    from core.model import SetAside

ORDERS, DISPUTES = 100, 50
"""So many at a time: a page costs two or three points for each."""
MOST_PAGES = 200
"""A list ends after 25,000 of its items: before that the next one begins."""
AT_ONCE = 100
BACK = timedelta(days=180)
"""How far disputes are read again: what is decided later stays as it was."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The position of a walk: *new_from* is since when orders are new to us.

    Changes *since* are asked for, behind *after*, after so many *pages* of them. *begun* is when
    the first page was answered, by Shopify's clock: ours may be ahead, and would leave a gap.
    """

    new_from: str
    since: str
    after: str | None = None
    pages: int = 0
    begun: str = ""

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))


class Reading:
    """Reads one store."""

    def __init__(self, api: Api, options: ShopifyOptions) -> None:
        self._api, self._options = api, options

    async def orders(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """Remarks on the next orders that changed."""
        walk = Walk(**json.loads(position)) if position else self._begin(cursor, now)
        part = Part(ORDERS, walk.after, f"updated_at:>='{_stamp(walk.since, now)}'")
        got = await self._api.orders(part)
        walk = replace(walk, begun=walk.begun or (self._api.answered_at or now).isoformat())
        edge = instant(walk.new_from) or now
        found = got.value.orders
        page = mapping.page(
            (one for one in found.nodes if mapping.is_new(one, edge)), self._options.store, now
        )
        page = replace(page, set_aside=(*self._outdated(), *got.aside, *page.set_aside))
        if not found.page_info.has_next_page:
            return replace(page, cursor=walk.begun)
        return replace(page, position=_onward(walk, found.nodes, found.page_info), more=True)

    async def disputes(self, position: str | None, now: datetime) -> Page:
        """The next of all disputes that are not too old: nobody says which of them changed."""
        walk = Walk(**json.loads(position)) if position else Walk("", (now - BACK).isoformat())
        part = Part(DISPUTES, walk.after, f"initiated_at:>='{_stamp(walk.since, now)}'")
        got = await self._api.disputes(part)
        found = got.value.disputes
        page = disputes.page(found.nodes, self._options.store, now)
        page = replace(page, set_aside=(*got.aside, *page.set_aside))
        if not found.page_info.has_next_page:
            return replace(page, cursor=now.isoformat())
        return replace(page, position=_onward(walk, (), found.page_info), more=True)

    async def look(self, threads: Sequence[str], now: datetime) -> tuple[Page, ...]:
        """These orders and disputes as they are; unknown ones are left out."""
        orders = [f"{mapping.ORDER}{name}" for name in threads if _is_number(name)]
        bare = (one.removeprefix(disputes.PREFIX) for one in threads if _is_dispute(one))
        claims = [f"{mapping.DISPUTE}{name}" for name in bare if _is_number(name)]
        store, pages = self._options.store, list[Page]()
        for few in _chunks(orders):
            got = await self._api.order_nodes(few)
            known = [one for one in got.value.nodes if one is not None]
            page = mapping.page(known, store, now, mapping.is_fresh)
            pages.append(_with(page, got.aside))
        for few in _chunks(claims):
            told = await self._api.dispute_nodes(few)
            these = [one for one in told.value.nodes if one is not None]
            pages.append(_with(disputes.page(these, store, now), told.aside))
        return tuple(pages)

    def _begin(self, cursor: str | None, now: datetime) -> Walk:
        """From the last walk's begin; what the search has not yet found then comes again."""
        before = instant(cursor)
        back = now - self._options.look_back if before is None else before - self._options.overlap
        return Walk(back.isoformat(), back.isoformat())

    def _outdated(self) -> tuple[SetAside, ...]:
        """That another version answers than was asked for: ours is not served any more."""
        other = self._api.other_version
        if other is None:
            return ()
        asked = self._options.api_version
        reason = f"api_version: {asked} is not served any more, another one answers"
        content = {"asked": asked, "answered_by": other}
        return (salvage.set_aside(f"api_version {asked}", reason, content),)


def _onward(walk: Walk, orders: Sequence[Order], info: PageInfo) -> str:
    """Where the walk goes on.

    Raises:
        BadPayload: it does not.
    """
    if walk.pages + 1 < MOST_PAGES:
        if not info.end_cursor or info.end_cursor == walk.after:
            raise BadPayload("the walk does not go on", detail="endless")
        return replace(walk, after=info.end_cursor, pages=walk.pages + 1).write()
    last = max((at for one in orders if (at := instant(one.updated_at))), default=None)
    since = instant(walk.since)
    if last is None or since is None or last <= since:
        raise BadPayload("the walk does not end", detail="endless")
    return Walk(walk.new_from, last.isoformat(), begun=walk.begun).write()


def _stamp(since: str, now: datetime) -> str:
    """An instant as Shopify's search takes it: to the second."""
    return (instant(since) or now).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _is_dispute(thread: str) -> bool:
    return thread.startswith(disputes.PREFIX)


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE)]


def _with(page: Page, aside: tuple[SetAside, ...]) -> Page:
    return replace(page, set_aside=(*aside, *page.set_aside))
