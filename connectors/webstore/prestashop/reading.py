"""A walk through the messages by their number, and a look at single threads.

A new message does not touch its thread, so neither its date nor its status says that something is
new: the number of the message does. Each walk reads the last numbers again, and all that are young,
for a row may appear under a lower one than its neighbour when its transaction took longer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from connectors.webstore.prestashop import local_time, mapping
from connectors.webstore.prestashop.mapping import Read
from core.errors import BadCredentials, BadPayload
from core.model import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from connectors.webstore.prestashop.api import Api
    from connectors.webstore.prestashop.options import PrestaShopOptions
    from connectors.webstore.prestashop.payload import Row, ThreadRow
    from core.model import SetAside

PAGE = 100
AGAIN, MOST_AGAIN = 50, 2000
"""So many numbers each walk reads again, and so many at the most where they are young."""
SETTLES = timedelta(minutes=10)
"""So long a row may take until it shows: those that were added since are young."""
TIMEZONE = "PS_TIMEZONE"
MOST_LOOKED = 200
"""So many pages of one look."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """*last* is the greatest number read; *since* the date before which nothing is read.

    *young* is the number from which on rows were young when they were read, 0 for none.
    """

    last: int
    since: str
    young: int = 0

    @classmethod
    def read(cls, cursor: str | None) -> Cursor | None:
        """What `write` wrote; None before the first walk."""
        return None if cursor is None else cls(**json.loads(cursor))

    def write(self) -> str:
        """As text: numbers and a date."""
        return json.dumps(asdict(self))

    @property
    def first(self) -> int:
        """With which number the next walk begins."""
        again = self.last + 1 - AGAIN
        young = max(self.young, self.last + 1 - MOST_AGAIN) if self.young else again
        return max(1, min(again, young))


@dataclass(frozen=True, slots=True)
class Walk:
    """The position of a walk: the number *first* comes next, *last* is the greatest so far.

    *young* is as in `Cursor`, of this walk alone.
    """

    first: int
    last: int = 0
    is_begun: bool = False
    is_back: bool = False
    young: int = 0

    @classmethod
    def read(cls, position: str | None, before: Cursor) -> Walk:
        """What `write` wrote; the begin of a walk for None."""
        return cls(**json.loads(position)) if position else cls(before.first)

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))


class Reading:
    """Reads one account's threads. It knows the shop's zone once it was told."""

    def __init__(self, api: Api, options: PrestaShopOptions) -> None:
        self._api, self._options = api, options
        self._zone = ZoneInfo(options.time_zone) if options.time_zone else None

    async def zone(self) -> ZoneInfo:
        """The zone of the shop's clock.

        Raises:
            BadPayload: the configuration names none.
            BadCredentials: the key may not read it.
        """
        if self._zone is None:
            self._zone = await self._configured()
        return self._zone

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """The next messages by their number, with their threads."""
        zone = await self.zone()
        since = local_time.shown(now - self._options.look_back, zone)
        before = Cursor.read(cursor) or Cursor(0, since)
        walk = Walk.read(position, before)
        got = await self._api.messages(walk.first, before.since, PAGE)
        rows = got.value.customer_messages
        if not rows and not got.aside and not walk.is_begun:
            return await self._silent(walk, before)
        walk = replace(walk, young=walk.young or _young(rows, walk.first, zone, now - SETTLES))
        whole, odd = await self._of_two_instants(rows, zone)
        page = await self._page([*rows, *whole], zone, now, [*got.aside, *odd])
        return _onward(page, walk, before, rows, len(rows) + len(got.out))

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These threads with all their messages; unknown ones are left out."""
        zone, wanted = await self.zone(), [one for one in threads if mapping.number_of(one)]
        rows: list[Row] = []
        aside: list[SetAside] = []
        for at in range(0, len(wanted), PAGE):
            found, odd = await self._whole(wanted[at : at + PAGE])
            rows += found
            aside += odd
        return await self._page(rows, zone, now, aside, wanted)

    async def orders_are_read(self) -> bool:
        """Whether the key may read orders: without that, threads name none."""
        try:
            await self._api.orders(["1"])
        except BadCredentials as fault:
            if not fault.alone:
                raise
            return False
        return True

    async def _configured(self) -> ZoneInfo:
        """The shop's own zone, else that of all shops.

        Without a key's right the mend is to write it into the settings.
        """
        mend = "or write time_zone"
        try:
            found = (await self._api.configured(TIMEZONE)).value.configurations
        except BadCredentials as fault:
            if fault.alone:
                fault.args = (f"{fault}, {mend}",)
            raise
        shop = str(self._options.id_shop or "")
        told = {mapping.number_of(one.id_shop) or "": one.value for one in found}
        name = told.get(shop) or told.get("") or next(iter(told.values()), None)
        try:
            return ZoneInfo(name or "")
        except (ValueError, OSError, LookupError):
            raise BadPayload(f"configurations: {TIMEZONE} is no time zone; {mend}") from None

    async def _silent(self, walk: Walk, before: Cursor) -> Page:
        """What a walk means that finds nothing, not even what was read before.

        A shop that cannot sort answers an empty list; and numbers begin lower where a copy of the
        database was put back.

        Raises:
            BadPayload: there are messages, and the shop does not show them.
        """
        unsorted = await self._api.messages(walk.first, before.since, 1, is_sorted=False)
        if unsorted.value.customer_messages or unsorted.aside:
            raise BadPayload(
                "customer_messages: the shop answers nothing where it is asked to sort, and has"
                " messages; ask whoever runs it",
                detail="unsorted",
            )
        found = (await self._api.newest()).value.customer_messages if before.last else []
        newest = int(found[0].id) if found else 0
        if not newest or newest >= walk.first or walk.is_back:
            return Page(cursor=replace(before, last=newest or before.last).write())
        back = Walk(max(1, newest + 1 - AGAIN), newest, is_back=True)
        return Page(cursor=before.write(), position=back.write(), more=True)

    async def _page(
        self,
        rows: Sequence[Row],
        zone: ZoneInfo,
        now: datetime,
        aside: Sequence[SetAside],
        also: Sequence[str] = (),
    ) -> Page:
        """*rows* with their threads, and the threads *also*."""
        wanted = sorted({*also, *(row.id_customer_thread for row in rows)}, key=int)
        threads, odd = await self._threads(wanted)
        references = await self._references(threads.values())
        read = Read(tuple(rows), threads, references, zone, self._options.id_shop)
        page = mapping.page(read, now)
        return replace(page, set_aside=(*aside, *odd, *page.set_aside))

    async def _of_two_instants(
        self, rows: Sequence[Row], zone: ZoneInfo
    ) -> tuple[list[Row], list[SetAside]]:
        """All messages of the threads of which one was written in the hour that comes twice.

        What stands before it in its thread says which of its instants is meant: the same whichever
        part of the thread a walk has read.
        """
        twice = {r.id_customer_thread for r in rows if local_time.is_twice(r.date_add, zone)}
        return await self._whole(sorted(twice, key=int)) if twice else ([], [])

    async def _whole(self, threads: Sequence[str]) -> tuple[list[Row], list[SetAside]]:
        rows: list[Row] = []
        aside: list[SetAside] = []
        for number in range(MOST_LOOKED):
            got = await self._api.messages_of(threads, number * PAGE, PAGE)
            rows += got.value.customer_messages
            aside += got.aside
            if len(got.value.customer_messages) + len(got.out) < PAGE:
                return rows, aside
        raise BadPayload("customer_messages: the look does not end", detail="endless")

    async def _threads(self, wanted: Sequence[str]) -> tuple[dict[str, ThreadRow], list[SetAside]]:
        found: dict[str, ThreadRow] = {}
        aside: list[SetAside] = []
        for at in range(0, len(wanted), PAGE):
            got = await self._api.threads(wanted[at : at + PAGE])
            found |= {one.id: one for one in got.value.customer_threads}
            aside += got.aside
        return found, aside

    async def _references(self, threads: Iterable[ThreadRow]) -> dict[str, str]:
        """The references of the threads' orders; none where the key may not read orders."""
        numbers = {mapping.number_of(one.id_order) for one in threads}
        wanted = sorted(one for one in numbers if one)
        found: dict[str, str] = {}
        for at in range(0, len(wanted), PAGE):
            try:
                got = await self._api.orders(wanted[at : at + PAGE])
            except BadCredentials as fault:
                if fault.alone:
                    return {}
                raise
            found |= {one.id: one.reference for one in got.value.orders if one.reference}
        return found


def _onward(page: Page, walk: Walk, before: Cursor, rows: Sequence[Row], came: int) -> Page:
    """*page*, of *came* messages, with where the walk stands after it.

    Raises:
        BadPayload: none of a full page can be read: nobody knows where the next one begins.
    """
    last = max([walk.last, *(int(row.id) for row in rows)])
    if came < PAGE:
        return replace(page, cursor=Cursor(last or before.last, before.since, walk.young).write())
    if last < walk.first:
        raise BadPayload("customer_messages: the walk does not go on", detail="endless")
    onward = replace(walk, first=last + 1, last=last, is_begun=True)
    cursor = Cursor(max(last, before.last), before.since, walk.young)
    return replace(page, cursor=cursor.write(), position=onward.write(), more=True)


def _young(rows: Iterable[Row], first: int, zone: ZoneInfo, since: datetime) -> int:
    """The number behind the last of *rows*, from *first* on, before one added *since*; 0: none."""
    for row in sorted(rows, key=lambda one: int(one.id)):
        at = local_time.instant(row.date_add, zone)
        if at is not None and at >= since:
            return first
        first = int(row.id) + 1
    return 0
