"""Walks of questions and letters, and looks at single ones.

A walk has four parts: the questions without an answer, those with one, the letters received that
are no questions (one written in a mail program, one about a listing that has ended, eBay's own),
and the letters sent: what was answered since is asked for by its listing, since a window counts
from the question.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from connectors.ebay.trading import mapping, walking
from connectors.ebay.trading.mapping import EXCHANGE, LETTER
from connectors.ebay.trading.payload import MemberMessages, MyMessages
from connectors.ebay.trading.walking import PARTS, Mark, Walk
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
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


class Reading:
    """Reads the messages of one account; keeps nothing between calls."""

    def __init__(self, calls: Calls, options: EbayOptions) -> None:
        self._calls, self._options = calls, options
        self._seller = calls.seller

    async def check(self) -> None:
        """Ask for a minute that is long past."""
        await self._exchanges(1, LONG_AGO, LONG_AGO + timedelta(minutes=1))

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of a walk."""
        mark = Mark.parse(cursor)
        walk = Walk.parse(position) if position else self._begun(mark, now)
        if walk.page > MOST_PAGES:
            raise BadPayload(f"{PARTS[walk.part]}: the walk does not end")
        known = mark.read if mark else frozenset()
        if walk.part < PARTS.index("inbox"):
            page, walk = await self._asked(walk, known, now)
        elif PARTS[walk.part] == "inbox":
            page, walk = await self._received(walk, known, now)
        else:
            page, walk = await self._answered(walk, known, now)
        if walk.is_over(mark):
            return _at(page, cursor=walk.ended(mark, now).write())
        return _at(page, position=walk.write(), more=True)

    def _begun(self, mark: Mark | None, now: datetime) -> Walk:
        return Walk.begun(mark, self._options.look_back, self._options.overlap, now)

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
        return _with(mapping.letters(received, pairs, self._seller.names, now), aside)

    async def _asked(self, walk: Walk, known: frozenset[str], now: datetime) -> tuple[Page, Walk]:
        """A page of the exchanges whose question lies in the window: those that have changed."""
        status = {"MessageStatus": PARTS[walk.part]}
        got = await self._exchanges(walk.page, walk.since, now, **status)
        found = got.value.exchanges
        told = (*walk.told, *(one.question.id for one in found))
        more = got.value.has_more.lower() == "true" and bool(found or got.aside)
        walk = replace(walk, told=told, at=walk.at or got.value.at).found(map(walking.key, found))
        new = [one for one in found if walking.key(one) not in known]
        return await self._page(new, got.aside, now), walk.onward(more=more)

    async def _received(
        self, walk: Walk, known: frozenset[str], now: datetime
    ) -> tuple[Page, Walk]:
        """A page of the letters that are no exchanges, with their words."""
        got = await self._headers(INBOX, walk.page, walk.since, now)
        letters = [one for one in got.value.letters if one.external not in walk.told]
        untold = [one for one in letters if one.id not in known]
        pages = [await self._look_at_exchange(one.external, now) for one in untold if one.external]
        found = {thread.id for page in pages for thread in page.threads}
        left = [one.id for one in untold if mapping.place(one) not in found]
        whole, aside = await self._whole(left)
        pages.append(
            _with(mapping.letters(whole, (), self._seller.names, now), [*got.aside, *aside])
        )
        missing = set(left) - {one.id for one in whole}
        walk = walk.found(one.id for one in letters if one.id not in missing)
        return _joined(pages), walk.onward(more=_goes_on(got.value, walk.page))

    async def _answered(
        self, walk: Walk, known: frozenset[str], now: datetime
    ) -> tuple[Page, Walk]:
        """A page of the letters sent, as the exchanges or the letters that they answer."""
        got = await self._headers(SENT, walk.page, walk.sent_since, now)
        ids = [one.id for one in got.value.letters]
        new = [id_ for id_ in ids if id_ not in known]
        sent, aside = await self._whole(new)
        missing = set(new) - {one.id for one in sent}
        walk = walk.found(id_ for id_ in ids if id_ not in missing)
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
            if any(mapping.is_about(each, one, self._seller.names) for each in sent)
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
        return mapping.letters((), pairs, self._seller.names, now)

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
        return _with(mapping.page(found, sent, self._seller.names, now), odd)

    async def _answers_of(
        self, one: Exchange, now: datetime
    ) -> tuple[list[Letter], list[SetAside]]:
        """The letters that may be answers of an exchange."""
        since = instant(one.created) or now - self._options.look_back
        until = (mapping.changed_at(one) or now) + timedelta(minutes=1)
        near = [
            letter.id
            async for letter in self._all(SENT, since, until)
            if mapping.is_about(letter, one, self._seller.names)
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
        """An answer; one that holds nothing, and counts something, is none (trap 35).

        What eBay calls the seller is learned before anybody asks who wrote.
        """
        answer = await self._calls.ask(call, content)
        await self._seller.learn()
        try:
            got = salvage.read(model, answer, NAMES)
        except ValidationError:
            raise BadPayload(f"{call}: misshapen", detail="misshapen") from None
        if got.value.held is None and not got.value.is_empty:
            raise BadPayload(f"{call}: the page is missing", detail="misshapen")
        return got


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
