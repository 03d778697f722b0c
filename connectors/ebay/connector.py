"""Reads and answers one seller: each stream and each call is handed to the part that knows it.

What a connector can is what its class has: there is one with conversations by the Message API and
one by Trading, and one of each with pushes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from connectors.ebay import identity, limits, offer
from connectors.ebay.access import Access
from connectors.ebay.dossiers import sources
from connectors.ebay.dossiers.reading import Dossiers
from connectors.ebay.messages.conversations import Messages
from connectors.ebay.push.pushes import Pushes
from connectors.ebay.trading.fallback import Trading
from core.errors import BadCredentials, RateLimited
from core.model import merged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from connectors.ebay.dossiers.sources import Source
    from connectors.ebay.options import EbayOptions
    from core.connector import Connector, PushRequest, Receipt, Sent, Transport
    from core.model import Draft, Page, Thread


class Conversations(Protocol):
    """What members write, by whichever API."""

    async def check(self) -> None:
        """Ask for next to nothing: the consent is good, and covers it."""
        ...

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of a walk."""
        ...

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These whole."""
        ...

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Answer once."""
        ...


class Ebay:
    """One account, its dossiers, and its conversations by some API."""

    def __init__(self, options: EbayOptions, access: Access, spoken: Conversations) -> None:
        self._options, self._access, self._spoken = options, access, spoken
        self._dossiers = Dossiers(access, options)

    async def check(self) -> Sequence[str]:
        """Ask each API for next to nothing: the consent is the seller's, and covers them.

        Returns:
            What could not be verified.

        Raises:
            BadCredentials: `alone` where others answer; it says which.
        """
        found = await identity.doubts(self._access, self._options)
        answering, forbidden = [], []
        for name, ask in self._asks().items():
            try:
                await ask()
                answering.append(name)
            except BadCredentials as fault:
                if not fault.alone:
                    raise
                forbidden.append(str(fault))
        if forbidden:
            rest = f"the rest answers: {', '.join(answering)}" if answering else "nothing answers"
            raise BadCredentials("; ".join([*forbidden, rest]), alone=bool(answering))
        return found

    def _asks(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """A call to each API, by what it reads; first of all the one that is polled most."""
        asked: dict[str, Callable[[], Awaitable[object]]] = {
            "messages": self._spoken.check,
            "dossiers": partial(self._ask, sources.INQUIRIES),
        }
        if self._options.disputes:
            asked["disputes"] = partial(self._ask, sources.DISPUTES)
        return asked

    async def _ask(self, source: Source) -> None:
        await self._access.get(
            source.host,
            source.search,
            operation=source.operations[0],
            scheme=source.scheme,
            params={"limit": "1"},
        )

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of what the stream's part reads."""
        if stream == offer.MESSAGES:
            return await self._spoken.fetch(cursor, position, now)
        if stream in offer.DOSSIERS:
            await self._access.seller.learn()
            return await self._dossiers.fetch(stream, cursor, position, now)
        if stream == offer.LIMITS:
            return await limits.read(self._access, now)
        raise ValueError(f"no stream {stream}")

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These threads whole, whatever they are about.

        An API that refuses us holds no other up: its own stream says so. A thread that fails by
        itself is raised, so that whoever asked asks for each alone.
        """
        pages: list[Page] = []
        refusal: BadCredentials | RateLimited | None = None
        for stream, ids in _by_stream(threads).items():
            try:
                pages.append(await self._looked(stream, ids, now))
            except (RateLimited, BadCredentials) as fault:
                if isinstance(fault, BadCredentials) and not fault.alone:
                    raise
                refusal = refusal or fault
        if refusal is not None and not pages:
            raise refusal
        return merged(pages)

    async def _looked(self, stream: str | None, threads: Sequence[str], now: datetime) -> Page:
        if stream is None:
            return await self._spoken.look(threads, now)
        await self._access.seller.learn()
        return await self._dossiers.look(threads, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Answer once, where the thread is."""
        if sources.source_of(thread.id) is not None:
            return await self._dossiers.reply(thread, draft, now)
        return await self._spoken.reply(thread, draft, now)


class ByMessages(Ebay):
    """Conversations by the Message API."""

    def __init__(self, options: EbayOptions, transport: Transport) -> None:
        access = Access(options, transport.http)
        self._messages = Messages(access, options)
        super().__init__(options, access, self._messages)

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """As above, and what eBay itself writes."""
        if stream == offer.NOTICES:
            return await self._messages.fetch_notices(cursor, position, now)
        return await super().fetch(stream, cursor, position, now)

    async def mark_read(self, threads: Sequence[Thread]) -> Mapping[str, str]:
        """Mark conversations as read; a dossier has no such mark."""
        spoken = [thread for thread in threads if sources.source_of(thread.id) is None]
        marked = await self._messages.mark_read(spoken) if spoken else {}
        dossiers = {t.id for t in threads} - {t.id for t in spoken}
        return {**marked, **dict.fromkeys(dossiers, "a dossier has no mark of being read")}


class ByTrading(Ebay):
    """Conversations by the Trading API, for who may not read them by the other."""

    def __init__(self, options: EbayOptions, transport: Transport) -> None:
        access = Access(options, transport.http)
        super().__init__(options, access, Trading(access, options))


class WithPushes(Ebay):
    """With pushes, whichever way conversations are read."""

    _known: Pushes | None = None

    @property
    def _pushes(self) -> Pushes:
        if self._known is None:
            self._known = Pushes(self._access, self._options)
        return self._known

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """As above, and the state of what is pushed."""
        if stream == offer.SUBSCRIPTIONS:
            return await self._pushes.fetch(cursor, position, now)
        return await super().fetch(stream, cursor, position, now)

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check and translate a push; nothing is stored here."""
        return await self._pushes.receive(request, now)

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Set up what is pushed."""
        return self._pushes.subscribe(contact, now)


class ByMessagesPushed(WithPushes, ByMessages):
    """The Message API, with pushes."""


class ByTradingPushed(WithPushes, ByTrading):
    """The Trading API, with pushes."""


def opened(options: EbayOptions, transport: Transport) -> Connector:
    """The connector of an account: of the class that can what its options say."""
    if options.messages_by == "trading":
        return (ByTrading if options.push is None else ByTradingPushed)(options, transport)
    return (ByMessages if options.push is None else ByMessagesPushed)(options, transport)


def _by_stream(threads: Sequence[str]) -> dict[str | None, list[str]]:
    """By the stream of dossiers of which they are; None: conversations."""
    parts: dict[str | None, list[str]] = {}
    for thread in threads:
        known = sources.source_of(thread)
        parts.setdefault(known[0].stream if known else None, []).append(thread)
    return parts
