"""Reads and answers one shop at one Mirakl operator."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from connectors.mirakl import answering, incidents, mapping
from connectors.mirakl.api import AT_ONCE, Api
from connectors.mirakl.options import FLOOR
from connectors.mirakl.policies import RESPONSE_DELAY
from core.connector import Capabilities, Sent
from core.errors import BadCredentials, BadPayload, ConnectorError, Refused
from core.model import Page, Published, SetAside, Stream
from core.payload import instant
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from connectors.mirakl.options import MiraklOptions
    from connectors.mirakl.payload import Order, Orders, ThreadPayload
    from core.connector import Transport
    from core.model import Draft, Thread
    from core.transport.salvage import Salvaged

MESSAGES, INCIDENTS, REPORT = "messages", "incidents", "report"
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

SHORTEST, LONGEST = 3, 50_000
"""How many characters a reply may have."""

MOST_MESSAGES = 1000
"""How many messages a thread may hold."""

MOST_PAGES = 10_000
MOST_REPEATED = 2
"""How often a page may come again before the walk leads in a circle: servers repeat themselves."""
MOST_WHOLE = 20
WHOLE_WITHIN = 20.0
"""How many long threads of one page are fetched whole, in how many seconds; the others are flagged
as incomplete, and looked at by themselves."""

GONE = frozenset({"404", "410"})


def streams(options: MiraklOptions) -> tuple[Stream, ...]:
    """What is read by itself, as often as Mirakl's published call frequencies allow."""
    near = options.is_near
    second = timedelta(seconds=1)
    floor = second if near else FLOOR
    message, incident = frozenset({ThreadKind.MESSAGE}), frozenset({ThreadKind.INCIDENT})
    found = [Stream(MESSAGES, options.poll_every, floor=floor, kinds=message)]
    if options.incidents:
        every = min(QUARTER, 3 * options.poll_every) if near else QUARTER
        floor = second if near else QUARTER
        found.append(Stream(INCIDENTS, every, floor=floor, kinds=incident))
    return (*found, Stream(REPORT, DAY, carries_clocks=False, floor=HOUR))


def can(_: MiraklOptions) -> Capabilities:
    """What Mirakl offers beyond reading."""
    return Capabilities(
        replies=True,
        looks=True,
        reports=True,
        own_mark=True,
        shortest_reply=SHORTEST,
        longest_reply=LONGEST,
    )


@dataclass(frozen=True, slots=True)
class Walk:
    """The position of a walk through M11: *seen* is the newest update so far.

    *token* is None where there is a next page and nobody can say which. *mark* is a token of
    before, which came *again* so often since: it moves on at every doubling of the pages, so that
    no circle is too long for it.
    """

    token: str | None
    seen: str
    pages: int
    mark: str | None = None
    again: int = 0

    @classmethod
    def read(cls, position: str | None) -> Walk | None:
        """What `write` wrote; None at the walk's begin."""
        return cls(**json.loads(position)) if position else None

    @classmethod
    def after(cls, walk: Walk | None, token: object, seen: datetime) -> Walk:
        """The page after *walk*.

        Raises:
            BadPayload: the tokens lead in a circle.
        """
        pages = walk.pages + 1 if walk else 1
        readable = str(token) if type(token) in {str, int} else None
        mark, again = (walk.mark, walk.again) if walk else (None, 0)
        again += readable == mark
        if pages > MOST_PAGES or again > MOST_REPEATED:
            raise BadPayload("M11: the walk does not end")
        if pages.bit_count() == 1:
            mark, again = readable, 0
        return cls(readable, seen.isoformat(), pages, mark, again)

    def next_page(self) -> str:
        """The token to ask with. What came before it counts: only the walk ends here.

        Raises:
            BadPayload: the one that came was no text.
        """
        if self.token is None:
            raise BadPayload("M11: next_page_token is no text", detail="misshapen")
        return self.token

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))


class Mirakl:
    """One account. Keeps nothing between calls but the labels of reasons, for a day."""

    def __init__(self, options: MiraklOptions, transport: Transport) -> None:
        self._options = options
        self._api = Api(options, transport.http)
        self._labels: dict[str, str] = {}
        self._labels_until: datetime | None = None

    async def check(self) -> None:
        """Ask for one thread: key, address and shop are right if that works."""
        try:
            await self._api.threads(limit="1")
        except BadPayload as fault:
            if fault.detail in GONE:
                hint = "is base_url the operator's, and shop_id a shop of this key?"
                raise BadPayload(f"{fault}: {hint}", detail=fault.detail) from None
            raise

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``messages`` (M11), ``incidents`` (OR11) or the ``report`` (A01)."""
        if stream == MESSAGES:
            return await self._messages(cursor, position, now)
        if stream == INCIDENTS:
            return await self._incidents(cursor, position, now)
        if stream == REPORT:
            return await self._report(now)
        raise ValueError(f"no stream {stream}")

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These threads whole (M10), incidents by their orders (OR11)."""
        read = _Read()
        for thread in threads:
            if incidents.order_of(thread) is None:
                await self._read_whole(thread, read)
        page = await self._mapped(read, now)
        cases = {
            thread: incidents.ASKED for thread in threads if incidents.order_of(thread) is not None
        }
        return _joined(page, (await self._orders_of(cases, now)).page)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:  # noqa: ARG002  # the protocol hands it to everybody
        """Answer those of *draft* whom the thread knows (M12)."""
        if not SHORTEST <= len(draft.body) <= LONGEST:
            raise Refused(f"a reply has {SHORTEST} to {LONGEST} characters", detail="length")
        to = answering.recipients(thread, draft.to)
        return Sent(await self._api.answer(thread.id, draft.body, to))

    async def attachment(self, attachment: str) -> bytes:
        """The bytes of an attachment (M13)."""
        return await self._api.attachment(attachment)

    async def _messages(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """What changed since the cursor, and in an overlap before it.

        The cursor is the newest update seen, by the marketplace's own clock, so that no skew of
        ours loses anything; never later than the walk's begin, for what changes during a walk
        moves to the front, behind us.
        """
        walk, since = Walk.read(position), instant(cursor)
        begin = since or now - self._options.look_back
        if walk:
            got = await self._api.threads(page_token=walk.next_page())
        else:
            asked = begin - self._options.overlap if since else begin
            got = await self._api.threads(
                updated_since=_stamp(asked), with_messages="true", limit=str(AT_ONCE)
            )
        threads, token = got.value.data, got.value.next_page_token
        updates = [mapping.updated_at(one, now) for one in threads]
        seen = max([at for at in (begin, walk and instant(walk.seen), *updates) if at])
        more = token not in (None, "")
        position = Walk.after(walk, token, seen).write() if more else None
        cursor = None if more else max(begin, min(seen, now)).isoformat()
        if not threads:
            return Page(set_aside=got.aside, position=position, cursor=cursor, more=more)
        page = await self._completed(threads, got.aside, now)
        return replace(page, position=position, cursor=cursor, more=more)

    async def _completed(
        self, threads: Iterable[ThreadPayload], aside: Iterable[SetAside], now: datetime
    ) -> Page:
        """The page of these threads, the long ones among them read whole."""
        read = _Read(aside=list(aside))
        asked, until = 0, monotonic() + WHOLE_WITHIN
        for one in threads:
            left = until - monotonic()
            if not mapping.is_cut(one, AT_ONCE):
                read.threads.append(one)
            elif asked < MOST_WHOLE and left > 0:
                asked += 1
                await self._read_long(one, read, left)
            else:
                read.keep_incomplete(one)
        return await self._mapped(read, now)

    async def _read_long(self, one: ThreadPayload, read: _Read, seconds: float) -> None:
        """The whole of a thread; its last messages where that fails, to be looked at again."""
        try:
            async with asyncio.timeout(seconds):
                got = await self._api.thread(one.id)
        except (ConnectorError, TimeoutError) as fault:
            read.keep_incomplete(one)
            read.keep_unread(one.id, fault)
        else:
            read.threads.append(one)  # what came with the page counts, whatever the whole lacks
            read.keep(got)
            if got.value.id != one.id:
                read.incomplete.add(one.id)

    async def _read_whole(self, thread: str, read: _Read) -> None:
        """The whole of a thread; nothing where there is none."""
        try:
            read.keep(await self._api.thread(thread))
        except BadPayload as fault:
            read.keep_unread(thread, fault)

    async def _mapped(self, read: _Read, now: datetime) -> Page:
        coded = any(one.topic and one.topic.type == "REASON_CODE" for one in read.threads)
        odd = await self._read_labels(now) if coded else ()
        page = mapping.page(read.threads, self._as_shown(), now, frozenset(read.incomplete))
        aside = (*read.aside, *odd)
        return replace(page, set_aside=(*aside, *page.set_aside)) if aside else page

    async def _incidents(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """The orders with an incident; then, as a page of their own, those no longer listed."""
        before, walk = incidents.Walk.read(cursor), incidents.Walk.read(position)
        if walk.is_listed:
            return await self._unlisted(before, walk, now)
        got = await self._api.orders(has_incident="true", offset=str(walk.offset), max=str(AT_ONCE))
        found = incidents.found(got.value.orders, before.open, self._as_shown(), now)
        page = replace(found.page, set_aside=(*got.aside, *found.page.set_aside))
        still = {**walk.open, **found.open}
        if _goes_on(got, walk.offset):
            if walk.offset >= MOST_PAGES * AT_ONCE:
                raise BadPayload("OR11: the walk does not end")
            onward = incidents.Walk(still, walk.offset + AT_ONCE)
            return replace(page, position=onward.write(), more=True)
        if before.open.keys() <= still.keys():
            return replace(page, cursor=incidents.Walk(still).write())
        return replace(page, position=incidents.Walk(still, is_listed=True).write(), more=True)

    async def _unlisted(self, before: incidents.Walk, walk: incidents.Walk, now: datetime) -> Page:
        """What became of the incidents known *before* that are not listed any more."""
        missing = {name: at for name, at in before.open.items() if name not in walk.open}
        rest = await self._orders_of(missing, now)
        unseen = {name: at for name, at in missing.items() if name not in rest.closed}
        end = incidents.Walk({**unseen, **walk.open, **rest.open})
        return replace(rest.page, cursor=end.write())

    async def _orders_of(self, known: Mapping[str, str], now: datetime) -> incidents.Found:
        """The incidents *known*, asked for by their orders; an answer of none is kept aside."""
        names = sorted({order for name in known if (order := incidents.order_of(name))})
        orders: list[Order] = []
        aside: list[SetAside] = []
        for begin in range(0, len(names), AT_ONCE):
            chosen = ",".join(names[begin : begin + AT_ONCE])
            try:
                got = await self._api.orders(order_ids=chosen, max=str(AT_ONCE))
            except BadPayload as fault:
                if fault.detail.isdigit():
                    raise
                aside.append(SetAside("orders", str(fault), fault.raw))
            else:
                orders += got.value.orders
                aside += got.aside
        found = incidents.found(orders, known, self._as_shown(), now)
        return replace(found, page=replace(found.page, set_aside=(*aside, *found.page.set_aside)))

    async def _report(self, now: datetime) -> Page:
        """The operator's own mean reply time; a key may lack the right to read it."""
        try:
            got = await self._api.shop()
        except BadCredentials as fault:
            if fault.detail == "403":
                hint = "this key may not read the shop's numbers"
                raise BadPayload(f"{fault}: {hint}", detail=fault.detail) from None
            raise
        value = got.value.order_messages_response_delay
        published = () if value is None else (Published(RESPONSE_DELAY, value, now),)
        return Page(published=published, set_aside=got.aside, cursor=now.isoformat())

    async def _read_labels(self, now: datetime) -> tuple[SetAside, ...]:
        """Read the labels of reasons, once a day; without them codes are shown. What was odd."""
        if self._labels_until is not None and now < self._labels_until:
            return ()
        self._labels_until = now + HOUR
        try:
            got = await self._api.reasons()
        except ConnectorError as fault:
            if isinstance(fault, BadPayload) and not fault.detail.isdigit():
                return (SetAside("reasons", str(fault), fault.raw),)
            return ()
        self._labels = {r.code: r.label for r in got.value.reasons if r.code and r.label}
        self._labels_until = now + DAY
        return got.aside

    def _as_shown(self) -> mapping.Shown:
        return mapping.Shown(self._options.base_url, self._options.thread_url, self._labels)


@dataclass(slots=True)
class _Read:
    """Threads on their way to a page."""

    threads: list[ThreadPayload] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)

    def keep(self, got: Salvaged[ThreadPayload]) -> None:
        self.threads.append(got.value)
        self.aside += got.aside
        if mapping.is_cut(got.value, MOST_MESSAGES + 1):
            self.incomplete.add(got.value.id)

    def keep_unread(self, thread: str, fault: Exception) -> None:
        """Keep aside what came in place of a thread; where there is none, nothing is missing."""
        if isinstance(fault, BadPayload) and fault.detail not in GONE:
            self.aside.append(SetAside(thread, str(fault), fault.raw))

    def keep_incomplete(self, one: ThreadPayload) -> None:
        self.threads.append(one)
        self.incomplete.add(one.id)


def _goes_on(got: Salvaged[Orders], offset: int) -> bool:
    came, total = len(got.value.orders) + len(got.aside), got.value.total_count
    if total is None:
        return came >= AT_ONCE
    return came > 0 and offset + AT_ONCE < total


def _joined(page: Page, other: Page) -> Page:
    """Both pages as one; what both tell of a thread is told as the second does."""
    threads = {one.id: one for one in (*page.threads, *other.threads)}
    return replace(
        page,
        threads=tuple(threads.values()),
        given=tuple(dict((*page.given, *other.given)).items()),
        set_aside=(*page.set_aside, *other.set_aside),
    )


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
