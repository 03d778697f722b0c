"""A walk through the orders that changed, and a look at single ones.

BigCommerce has no list of messages: each order that changed is asked for its own. The walk goes by
the date of the change, not by page: an order that changes under it moves to the end.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore.bigcommerce import mapping
from connectors.webstore.bigcommerce.api import MOST
from connectors.webstore.bigcommerce.mapping import Read
from core.errors import BadPayload
from core.payload import instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.bigcommerce.api import Api
    from connectors.webstore.bigcommerce.options import BigCommerceOptions
    from connectors.webstore.bigcommerce.payload import Entry, Order
    from core.model import Page, SetAside

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

PAGE = 20
"""So many orders at a time: each costs a call."""
MOST_PAGES = 40
"""So many pages of messages about one order."""
MOST_SEEN = 2000
GONE = frozenset({"404", "410"})


@dataclass(frozen=True, slots=True)
class Cursor:
    """*since*: until then all changes are read; *seen*: orders of the overlap, by their change."""

    since: str
    seen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str | None) -> Cursor | None:
        """What `write` wrote; None before the first walk."""
        return None if cursor is None else cls(**json.loads(cursor))

    def write(self) -> str:
        """As text: dates and numbers of orders."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Walk:
    """The position of a walk: changes *since* come next, and of these the *page*."""

    since: str
    page: int = 1
    seen: dict[str, str] = field(default_factory=dict)

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))


class Reading:
    """Reads one store's messages."""

    def __init__(self, api: Api, options: BigCommerceOptions) -> None:
        self._api, self._options = api, options

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """Messages about the next orders that changed."""
        walk = Walk(**json.loads(position)) if position else self._begin(cursor, now)
        since = (instant(walk.since) or now) - SECOND
        got = await self._api.orders(since.isoformat(), walk.page, PAGE)
        orders = got.value.items
        new = [one for one in orders if walk.seen.get(one.id) != (one.date_modified or "")]
        read, aside = await self._read(new)
        page = mapping.page(read, now)
        page = replace(page, set_aside=(*got.aside, *aside, *page.set_aside))
        return self._onward(page, walk, orders, len(orders) + len(got.out), now)

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

    def _begin(self, cursor: str | None, now: datetime) -> Walk:
        before = Cursor.read(cursor)
        since = instant(before.since) if before else None
        if before is None or since is None:
            return Walk((now - self._options.look_back).isoformat())
        return Walk((since - self._options.overlap).isoformat(), seen=before.seen)

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

    def _onward(
        self, page: Page, walk: Walk, orders: Sequence[Order], came: int, now: datetime
    ) -> Page:
        """*page*, of *came* orders, with where the walk stands after it.

        The next page begins with the last change that was read; where all changed in one second,
        it is the next one of that second.
        """
        told = [at for one in orders if (at := mapping.at(one.date_modified))]
        since = instant(walk.since) or now
        last = max([since, *(at for at in told if at <= now)])
        seen = walk.seen | _settled(orders, now)
        cursor = self._cursor(last, seen).write()
        if came < PAGE:
            return replace(page, cursor=cursor)
        if walk.page >= MOST_PAGES:
            raise BadPayload("orders: the walk does not go on", detail="endless")
        moved = last > since
        onward = Walk(last.isoformat(), 1 if moved else walk.page + 1, seen)
        return replace(page, cursor=cursor, position=onward.write(), more=True)

    def _cursor(self, last: datetime, seen: dict[str, str]) -> Cursor:
        edge = last - self._options.overlap
        near = {
            name: told
            for name, told in seen.items()
            if (at := mapping.at(told)) is not None and at >= edge
        }
        return Cursor(last.isoformat(), dict(list(near.items())[-MOST_SEEN:]))


def _settled(orders: Sequence[Order], now: datetime) -> dict[str, str]:
    """What need not be read again before it changes; the last minute may not be over."""
    return {
        one.id: one.date_modified or ""
        for one in orders
        if (at := mapping.at(one.date_modified)) is not None and at < now - MINUTE
    }
