"""Reads and answers one number; with pushes where they are set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.twilio import answering, mapping, numbers, offer, receiving
from connectors.webstore.twilio.api import Api
from connectors.webstore.twilio.calling import Calling
from connectors.webstore.twilio.looking import Looking
from connectors.webstore.twilio.reading import Reading
from core.connector import Sent
from core.errors import BadPayload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from connectors.webstore.twilio.options import TwilioOptions
    from core.connector import Connector, Transport
    from core.model import Draft, Page, Thread
    from core.pushes import PushRequest, Receipt


class Twilio:
    """One number; keeps nothing between calls."""

    def __init__(self, options: TwilioOptions, transport: Transport) -> None:
        self._options = options
        self._api = Api(options, transport.http)
        self._reading = Reading(self._api, options)
        self._calling = Calling(self._api, options)
        self._looking = Looking(self._api, options, self._reading, self._calling)

    async def check(self) -> Sequence[str] | None:
        """Ask for our number: key, account and number are right if it is listed.

        A sender of WhatsApp is listed nowhere in this API: one message of it is asked for.
        """
        if self._options.is_whatsapp:
            await self._api.texts(From=self._options.number, PageSize="1")
            return None
        found = await numbers.ours(self._api, self._options)
        return (numbers.UNKNOWN,) if found is None else None

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``messages`` or ``calls``, or what is registered at the ``number``."""
        if stream == offer.MESSAGES:
            return await self._reading.fetch(cursor, position, now)
        if stream == offer.CALLS:
            return await self._calling.fetch(cursor, position, now)
        if stream == offer.NUMBER:
            return await numbers.page(self._api, self._options, now)
        raise ValueError(f"no stream {stream}")

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These threads whole."""
        return await self._looking.look(threads, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Write to the buyer, once.

        Where the window has shut by what we know, the buyer's last message is read: it may be newer
        than the one that a walk has dated.
        """
        if answering.is_shut(thread, self._options, now):
            thread = await self._as_now(thread, now)
        answering.check(thread, draft, self._options, now)
        return Sent(await self._api.send(thread, draft))

    async def _as_now(self, thread: Thread, now: datetime) -> Thread:
        """The thread as of the buyer's last message; as it is stored where that cannot be read."""
        theirs, ours = thread.reply_to.get(answering.TO, ""), self._options.number
        try:
            got = await self._api.texts(From=theirs, To=ours, PageSize="1")
        except BadPayload:
            return thread
        told = mapping.page(got.value.messages, {}, self._options, now).threads
        newer = (one for one in told if one.id == thread.id and one.as_of > thread.as_of)
        return next(newer, thread)


class Pushed(Twilio):
    """The same with an address for pushes."""

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check and translate a push; nothing is stored here."""
        return receiving.receive(request, self._options, now)

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Register our address at the number; Twilio wants no contact."""
        del contact, now
        return numbers.set_up(self._api, self._options)


def opened(options: TwilioOptions, transport: Transport) -> Connector:
    """The connector of a number: of the class that can what its options say."""
    return (Twilio if options.endpoint is None else Pushed)(options, transport)
