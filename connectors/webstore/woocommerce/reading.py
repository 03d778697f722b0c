"""A walk through the orders that changed, and a look at single ones.

A note does not change its order: orders whose buyer waits are read again by and by, so that an
answer that somebody writes in the shop is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connectors.webstore.remarks.changes import Change, Steps, Walk
from connectors.webstore.woocommerce import faults, mapping
from connectors.webstore.woocommerce.mapping import Read
from core.errors import BadPayload
from core.payload import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from connectors.webstore.woocommerce.api import Api
    from connectors.webstore.woocommerce.options import WooCommerceOptions
    from connectors.webstore.woocommerce.payload import Order
    from core.model import Page, SetAside

PAGE = 50
"""So many orders at a time: each with a remark costs a call."""


@dataclass(slots=True)
class _Found:
    """Orders on their way to a page."""

    read: list[Read] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Reading:
    """Reads one shop's orders."""

    def __init__(self, api: Api, options: WooCommerceOptions) -> None:
        self._api, self._base_url = api, options.base_url
        self._steps = Steps(options.look_back, options.overlap)

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """Remarks on the next orders that changed, and the notes about them."""
        walk = Walk.read(position) if position else self._steps.begin(cursor, now)
        after = walk.from_instant(now).strftime("%Y-%m-%dT%H:%M:%S")
        got = await self._api.orders(after, walk.page, PAGE)
        came = [_change(one) for one in got.orders]
        found = _Found(aside=list(got.aside))
        new = [one for one, told in zip(got.orders, came, strict=True) if walk.is_new(told)]
        await self._read(new, found)
        walk = walk.with_read(_waiting(found.read), found.gone)
        if position is None:
            walk = await self._look_again(walk, {one.id for one in new}, found)
        page = self._page(found, now)
        return self._steps.onward(page, walk, came, now, is_last=got.is_last)

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These orders with all notes about them; unknown ones are left out."""
        found = _Found()
        for thread in threads:
            if thread.isascii() and thread.isdigit():
                try:
                    await self._read([await self._api.order(thread)], found)
                except BadPayload as fault:
                    if not faults.is_gone(fault):
                        raise
        return self._page(found, now)

    async def _look_again(self, walk: Walk, known: set[str], found: _Found) -> Walk:
        """Read some of the orders again whose buyer waits, but for those *known* just now."""
        wanted = [name for name in walk.to_look_at() if name not in known]
        if not wanted:
            return walk
        got = await self._api.some(wanted)
        again = _Found()
        await self._read(got.orders, again)
        found.read += again.read
        found.aside += (*got.aside, *again.aside)
        return walk.with_read(_waiting(again.read), wanted)

    async def _read(self, orders: Iterable[Order], found: _Found) -> None:
        """The notes about *orders* with a remark; one that is gone costs no other."""
        for order in orders:
            if not mapping.is_asked(order):
                continue
            try:
                got = await self._api.notes(order.id)
            except BadPayload as fault:
                if not faults.is_gone(fault):
                    raise
                found.gone.append(order.id)
                continue
            found.read.append(Read(order, tuple(got.value.items)))
            found.aside += got.aside

    def _page(self, found: _Found, now: datetime) -> Page:
        page = mapping.page(found.read, self._base_url, now)
        return replace(page, set_aside=(*found.aside, *page.set_aside))


def _change(order: Order) -> Change:
    return Change(order.id, instant(order.date_modified_gmt))


def _waiting(read: Iterable[Read]) -> dict[str, datetime | None]:
    """When each order was placed whose buyer waits; None where nobody does."""
    return {
        one.order.id: instant(one.order.date_created_gmt) if mapping.waits(one) else None
        for one in read
    }
