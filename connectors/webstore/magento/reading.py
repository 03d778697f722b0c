"""A walk through the orders that changed, and a look at single ones.

Whether a comment changes its order is not documented: orders whose buyer waits are read again by
and by, so that an answer that somebody writes in the shop is seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.webstore.magento import mapping
from connectors.webstore.magento.mapping import Habits
from connectors.webstore.remarks.changes import Change, Steps, Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from connectors.webstore.magento.api import Api
    from connectors.webstore.magento.options import MagentoOptions
    from connectors.webstore.magento.payload import Order
    from core.model import Page

PAGE = 100
"""So many orders at a time."""


class Reading:
    """Reads one shop's orders."""

    def __init__(self, api: Api, options: MagentoOptions) -> None:
        self._api = api
        self._habits = Habits(options.automatic, options.staff_orders)
        self._steps = Steps(options.look_back, options.overlap)

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """Remarks on the next orders that changed, and the comments about them."""
        walk = Walk.read(position) if position else self._steps.begin(cursor, now)
        after = walk.from_instant(now).strftime("%Y-%m-%d %H:%M:%S")
        got = await self._api.orders(after, walk.page, PAGE)
        came = [Change(one.entity_id, mapping.at(one.updated_at)) for one in got.orders]
        new = [one for one, told in zip(got.orders, came, strict=True) if walk.is_new(told)]
        walk, aside = walk.with_read(self._waiting(new)), got.aside
        if position is None and (wanted := self._unread(walk, new)):
            again = await self._api.some(wanted)
            walk = walk.with_read(self._waiting(again.orders), wanted)
            new, aside = [*new, *again.orders], (*aside, *again.aside)
        page = mapping.page(new, self._habits, now)
        page = replace(page, set_aside=(*aside, *page.set_aside))
        return self._steps.onward(page, walk, came, now, is_last=got.is_last)

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These orders with all comments about them; unknown ones are left out."""
        known = [one for one in threads if one.isascii() and one.isdigit()]
        got = await self._api.some(known)
        page = mapping.page(got.orders, self._habits, now)
        return replace(page, set_aside=(*got.aside, *page.set_aside))

    def _unread(self, walk: Walk, new: Iterable[Order]) -> list[str]:
        """The orders whose buyer waits that are read again now, but for those that are *new*."""
        known = {one.entity_id for one in new}
        return [name for name in walk.to_look_at() if name not in known]

    def _waiting(self, orders: Iterable[Order]) -> dict[str, datetime | None]:
        """When each was placed whose buyer waits; None where nobody does."""
        return {
            one.entity_id: mapping.at(one.created_at) if mapping.waits(one, self._habits) else None
            for one in orders
        }
