"""Walks of questions and letters, and looks at single ones.

A walk has four parts: the questions without an answer, those with one, the letters received that
are no questions (one written in a mail program, one about a listing that has ended, eBay's own),
and the letters sent: what was answered since is asked for by its listing, since a window counts
from the question.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from connectors.ebay.trading import mapping
from connectors.ebay.trading.mapping import EXCHANGE, LETTER
from connectors.ebay.trading.payload import MemberMessages, MyMessages
from core.errors import BadPayload
from core.model import Page, SetAside
from core.payload import instant
from core.transport import salvage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from connectors.ebay.options import EbayOptions
    from connectors.ebay.trading.calls import Calls
    from connectors.ebay.trading.payload import Exchange, Letter

M = TypeVar("M", MemberMessages, MyMessages)

EXCHANGES, LETTERS = "GetMemberMessages", "GetMyMessages"
NAMES = ("MessageID",)

AT_ONCE, WHOLE_AT_ONCE = 200, 10
MOST_PAGES = 500
INBOX, SENT = 0, 1
PARTS = ("Unanswered", "Answered", "inbox", "sent")
LATE = timedelta(hours=6)
"""So late a message may show up, and be found."""

LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mark:
    """The cursor: the newest *at* which the last walk arrived, and the letters *sent* that it read.

    These are of the window that the next walk reads again; no member is named.
    """

    at: datetime
    sent: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, cursor: str | None) -> Mark | None:
        """What `write` wrote; None at the first walk, or where it cannot be read."""
        try:
            content = json.loads(cursor or "")
            at, sent = instant(content["at"]), frozenset(map(str, content["sent"]))
        except (ValueError, TypeError, KeyError):
            return None
        return cls(at, sent) if at else None

    def write(self) -> str:
        """As text."""
        return json.dumps({"at": self.at.isoformat(), "sent": sorted(self.sent)})


@dataclass(frozen=True, slots=True)
class Walk:
    """The position: the part of a walk, its page, and when it began by eBay's clock.

    *told* are the questions that were told as exchanges: their letters say nothing more. *sent* are
    the letters sent that were read, *seen* is the newest instant so far.
    """

    part: int = 0
    page: int = 1
    at: str = ""
    seen: str = ""
    told: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()

    @classmethod
    def parse(cls, position: str | None) -> Walk:
        """What `write` wrote; a new walk for None."""
        if position is None:
            return cls()
        content = json.loads(position)
        lists = {name: tuple(content[name]) for name in ("told", "sent")}
        return cls(**{**content, **lists})

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))

    def saw(self, dates: Iterable[str]) -> Walk:
        """With the newest of these instants, as eBay wrote them."""
        known = [at for text in (self.seen, *dates) if (at := instant(text))]
        return replace(self, seen=max(known).isoformat()) if known else self

    def onward(self, *, more: bool) -> Walk:
        """The next page, or the first of the next part."""
        if more:
            return replace(self, page=self.page + 1)
        return replace(self, part=self.part + 1, page=1)


class Reading:
    """Reads the messages of one account; keeps nothing between calls."""

    def __init__(self, calls: Calls, options: EbayOptions) -> None:
        self._calls, self._options = calls, options
        self._own = options.own

    async def check(self) -> None:
        """Ask for a minute that is long past."""
        await self._exchanges(1, LONG_AGO, LONG_AGO + timedelta(minutes=1))

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of a walk."""
        walk, mark = Walk.parse(position), Mark.parse(cursor)
        since = mark.at - self._options.overlap if mark else now - self._options.look_back
        if walk.page > MOST_PAGES:
            raise BadPayload(f"{PARTS[walk.part]}: the walk does not end")
        if walk.part < PARTS.index("inbox"):
            page, walk = await self._asked(walk, since, now)
        elif PARTS[walk.part] == "inbox":
            page, walk = await self._received(walk, since, now)
        else:
            known = mark.sent if mark else frozenset()
            page, walk = await self._answered(walk, known, since, now)
        if walk.part >= len(PARTS) or (mark is None and PARTS[walk.part] == "sent"):
            return _at(page, cursor=_ended(walk, mark, now).write())
        return _at(page, position=walk.write(), more=True)

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These threads whole; unknown ones are left out."""
        pages = []
        for thread in threads:
            if thread.startswith(EXCHANGE):
                pages.append(await self._look_at_exchange(thread.removeprefix(EXCHANGE), now))
            elif thread.startswith(LETTER):
                pages.append(await self._look_at_letter(thread.removeprefix(LETTER), now))
        return _joined(pages)

    async def _look_at_exchange(self, question: str, now: datetime) -> Page:
        got = await self._called(
            EXCHANGES,
            {"MailMessageType": "All", "MemberMessageID": question, **_paged(1)},
            MemberMessages,
        )
        found = [one for one in got.value.exchanges if one.question.id == question]
        return await self._page(found, got.aside, now)

    async def _look_at_letter(self, name: str, now: datetime) -> Page:
        whole, aside = await self._whole([name])
        received = [one for one in whole if one.id == name]
        pairs: list[tuple[Letter, Letter]] = []
        for one in received:
            since = instant(one.received) or now - self._options.look_back
            sent = [
                letter
                async for letter in self._all(SENT, since, now)
                if _is_between(letter, one) and letter.item == one.item
            ]
            bodies, odd = await self._whole([letter.id for letter in sent])
            pairs += [(one, letter) for letter in bodies]
            aside += odd
        return _with(mapping.letters(received, pairs, self._own, now), aside)

    async def _asked(self, walk: Walk, since: datetime, now: datetime) -> tuple[Page, Walk]:
        """A page of the exchanges whose question lies in the window."""
        status = {"MessageStatus": PARTS[walk.part]}
        got = await self._exchanges(walk.page, since, now, **status)
        found = got.value.exchanges
        told = (*walk.told, *(one.question.id for one in found))
        more = got.value.has_more.lower() == "true" and bool(found or got.aside)
        walk = replace(walk, told=told, at=walk.at or got.value.at)
        walk = walk.saw(date for one in found for date in (one.created, one.changed))
        return await self._page(found, got.aside, now), walk.onward(more=more)

    async def _received(self, walk: Walk, since: datetime, now: datetime) -> tuple[Page, Walk]:
        """A page of the letters that are no exchanges, with their words."""
        got = await self._headers(INBOX, walk.page, since, now)
        untold = [one for one in got.value.letters if one.external not in walk.told]
        pages = [await self._look_at_exchange(one.external, now) for one in untold if one.external]
        found = {thread.id for page in pages for thread in page.threads}
        left = [one.id for one in untold if mapping.place(one) not in found]
        whole, aside = await self._whole(left)
        pages.append(_with(mapping.letters(whole, (), self._own, now), [*got.aside, *aside]))
        walk = walk.saw(one.received for one in got.value.letters)
        return _joined(pages), walk.onward(more=_goes_on(got.value, walk.page))

    async def _answered(
        self, walk: Walk, known: frozenset[str], since: datetime, now: datetime
    ) -> tuple[Page, Walk]:
        """A page of the letters sent, as the exchanges or the letters that they answer."""
        got = await self._headers(SENT, walk.page, since, now)
        ids = [one.id for one in got.value.letters]
        walk = replace(walk, sent=(*walk.sent, *ids)).saw(o.received for o in got.value.letters)
        sent, aside = await self._whole([id_ for id_ in ids if id_ not in known])
        aside += got.aside
        far = now - self._options.look_back
        exchanges: dict[str, Exchange] = {}
        for item in sorted({one.item for one in sent if one.item}):
            async for found in self._about(item, far, now):
                aside += found.aside
                exchanges |= {one.question.id: one for one in found.value.exchanges}
        hit = [
            one
            for one in exchanges.values()
            if any(mapping.is_about(each, one, self._own) for each in sent)
        ]
        page = await self._page(hit, aside, now)
        left = [each for each in sent if not any(mapping.answers(each, one) for one in hit)]
        pages = [page, await self._upon_letters(left, far, now)]
        return _joined(pages), walk.onward(more=_goes_on(got.value, walk.page))

    async def _upon_letters(self, sent: Sequence[Letter], far: datetime, now: datetime) -> Page:
        """What was sent upon letters that are no exchanges; whom nobody had asked waits for us."""
        if not sent:
            return Page()
        received = [one async for one in self._all(INBOX, far, now) if not one.external]
        pairs = [(upon, one) for one in sent if (upon := _latest(received, one)) is not None]
        return mapping.letters((), pairs, self._own, now)

    async def _page(
        self, found: Sequence[Exchange], aside: Iterable[SetAside], now: datetime
    ) -> Page:
        """These exchanges; where several answers of one are to be dated, by the letters sent."""
        sent: list[Letter] = []
        odd = list(aside)
        for one in filter(mapping.is_many, found):
            letters, more = await self._answers_of(one, now)
            sent += letters
            odd += more
        return _with(mapping.page(found, sent, self._own, now), odd)

    async def _answers_of(
        self, one: Exchange, now: datetime
    ) -> tuple[list[Letter], list[SetAside]]:
        """The letters that may be answers of an exchange."""
        since = instant(one.created) or now - self._options.look_back
        until = (mapping.changed_at(one) or now) + timedelta(minutes=1)
        near = [
            letter.id
            async for letter in self._all(SENT, since, until)
            if mapping.is_about(letter, one, self._own)
        ]
        return await self._whole(near)

    async def _about(
        self, item: str, since: datetime, now: datetime
    ) -> AsyncIterator[salvage.Salvaged[MemberMessages]]:
        """The answered exchanges about one listing."""
        for page in range(1, MOST_PAGES):
            got = await self._exchanges(page, since, now, MessageStatus="Answered", ItemID=item)
            yield got
            if got.value.has_more.lower() != "true":
                return

    async def _all(self, folder: int, since: datetime, until: datetime) -> AsyncIterator[Letter]:
        """The headers of a folder."""
        for page in range(1, MOST_PAGES):
            got = await self._headers(folder, page, since, until)
            for one in got.value.letters:
                yield one
            if not _goes_on(got.value, page):
                return

    async def _exchanges(
        self, page: int, since: datetime, until: datetime, **more: str
    ) -> salvage.Salvaged[MemberMessages]:
        window = {"StartCreationTime": _stamp(since), "EndCreationTime": _stamp(until)}
        content = {"MailMessageType": "All", **more, **window, **_paged(page)}
        return await self._called(EXCHANGES, content, MemberMessages)

    async def _headers(
        self, folder: int, page: int, since: datetime, until: datetime
    ) -> salvage.Salvaged[MyMessages]:
        window = {"StartTime": _stamp(since), "EndTime": _stamp(until)}
        content = {"DetailLevel": "ReturnHeaders", "FolderID": folder, **window, **_paged(page)}
        return await self._called(LETTERS, content, MyMessages)

    async def _whole(self, names: Sequence[str]) -> tuple[list[Letter], list[SetAside]]:
        """Letters with their words, ten at a time."""
        found: list[Letter] = []
        aside: list[SetAside] = []
        for begin in range(0, len(names), WHOLE_AT_ONCE):
            few = list(names[begin : begin + WHOLE_AT_ONCE])
            content = {"DetailLevel": "ReturnMessages", "MessageIDs": {"MessageID": few}}
            got = await self._called(LETTERS, content, MyMessages)
            found += got.value.letters
            aside += got.aside
        return found, aside

    async def _called(
        self, call: str, content: dict[str, Any], model: type[M]
    ) -> salvage.Salvaged[M]:
        """An answer; one that holds nothing, and counts something, is none (trap 35)."""
        answer = await self._calls.ask(call, content)
        try:
            got = salvage.read(model, answer, NAMES)
        except ValidationError:
            raise BadPayload(f"{call}: misshapen", detail="misshapen") from None
        if got.value.held is None and not got.value.is_empty:
            raise BadPayload(f"{call}: the page is missing", detail="misshapen")
        return got


def _ended(walk: Walk, mark: Mark | None, now: datetime) -> Mark:
    """Where the next walk begins: the newest instant seen, by eBay's clock and never ahead of it.

    What shows up late, with an instant of before, is found for `LATE` after it was written.
    """
    begun = instant(walk.at) or now
    seen = min(instant(walk.seen) or begun - LATE, begun)
    return Mark(max(seen, begun - LATE, mark.at if mark else seen), frozenset(walk.sent))


def _goes_on(got: MyMessages, page: int) -> bool:
    count = got.pages.count
    return bool(got.letters) and count.isdigit() and page < int(count)


def _is_between(sent: Letter, received: Letter) -> bool:
    return sent.recipient.casefold() == received.sender.casefold()


def _latest(received: Sequence[Letter], sent: Letter) -> Letter | None:
    """The newest letter upon which *sent* may have been written."""
    fit = [
        one
        for one in received
        if _is_between(sent, one) and one.item == sent.item and one.received <= sent.received
    ]
    return max(fit, key=lambda one: one.received, default=None)


def _paged(page: int) -> dict[str, Any]:
    return {"Pagination": {"EntriesPerPage": AT_ONCE, "PageNumber": page}}


def _stamp(at: datetime) -> str:
    text = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _joined(pages: Iterable[Page]) -> Page:
    """All of them as one, each message and thread once."""
    every = list(pages)
    messages = {one.id: one for page in every for one in page.messages}
    threads = {one.id: one for page in every for one in page.threads}
    return Page(
        messages=tuple(messages.values()),
        threads=tuple(threads.values()),
        set_aside=tuple(one for page in every for one in page.set_aside),
    )


def _with(page: Page, aside: Iterable[SetAside]) -> Page:
    return replace(page, set_aside=(*page.set_aside, *aside))


def _at(
    page: Page, *, position: str | None = None, cursor: str | None = None, more: bool = False
) -> Page:
    return replace(page, position=position, cursor=cursor, more=more)
