"""A walk through the orders that changed, and a look at single ones.

BigCommerce has no list of messages: each order that changed is asked for its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.webstore.bigcommerce import mapping
from connectors.webstore.bigcommerce.api import MOST
from connectors.webstore.bigcommerce.mapping import Read
from connectors.webstore.remarks.changes import Change, Steps, Walk
from core.errors import BadPayload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.bigcommerce.api import Api
    from connectors.webstore.bigcommerce.options import BigCommerceOptions
    from connectors.webstore.bigcommerce.payload import Entry, Order
    from core.model import Page, SetAside

PAGE = 20
"""So many orders at a time: each costs a call."""
MOST_PAGES = 40
"""So many pages of messages about one order."""
GONE = frozenset({"404", "410"})


class Reading:
    """Reads one store's messages."""

    def __init__(self, api: Api, options: BigCommerceOptions) -> None:
        self._api = api
        self._steps = Steps(options.look_back, options.overlap)

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """Messages about the next orders that changed."""
        walk = Walk.read(position) if position else self._steps.begin(cursor, now)
        got = await self._api.orders(walk.from_instant(now).isoformat(), walk.page, PAGE)
        orders = got.value.items
        came = [Change(one.id, mapping.at(one.date_modified)) for one in orders]
        new = [one for one, told in zip(orders, came, strict=True) if walk.is_new(told)]
        read, aside = await self._read(new)
        page = mapping.page(read, now)
        page = replace(page, set_aside=(*got.aside, *aside, *page.set_aside))
        is_last = len(orders) + len(got.out) < PAGE
        return self._steps.onward(page, walk, came, now, is_last=is_last)

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These orders with all messages about them; unknown ones are left out."""
        orders = []
        for thread in threads:
            if thread.isascii() and thread.isdigit():
                try:
                    orders.append(await self._api.order(thread))
                except BadPayload as fault:
                    if fault.detail not in GONE:
                        raise
        read, aside = await self._read(orders)
        page = mapping.page(read, now)
        return replace(page, set_aside=(*aside, *page.set_aside))

    async def _read(self, orders: Sequence[Order]) -> tuple[list[Read], list[SetAside]]:
        """The messages about *orders*; one that is gone costs no other."""
        found: list[Read] = []
        aside: list[SetAside] = []
        for order in orders:
            try:
                entries, odd = await self._messages(order.id)
            except BadPayload as fault:
                if fault.detail not in GONE:
                    raise
                continue
            found.append(Read(order, entries))
            aside += odd
        return found, aside

    async def _messages(self, order: str) -> tuple[tuple[Entry, ...], list[SetAside]]:
        entries: list[Entry] = []
        aside: list[SetAside] = []
        for number in range(1, MOST_PAGES + 1):
            got = await self._api.messages(order, number)
            entries += got.value.items
            aside += got.aside
            if len(got.value.items) + len(got.out) < MOST:
                return tuple(entries), aside
        raise BadPayload("order_messages: the pages do not end", detail="endless")
