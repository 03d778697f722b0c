"""Reads and answers one inbox, or all inboxes of an account; with pushes where they are set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.chatwoot import answering, offer, receiving, registered, subscribing
from connectors.webstore.chatwoot.api import Api
from connectors.webstore.chatwoot.reading import GONE, Reading
from core.connector import Sent
from core.errors import BadPayload, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from connectors.webstore.chatwoot.options import ChatwootOptions, Push
    from core.connector import Connector, Transport
    from core.model import Draft, Page, Thread
    from core.pushes import PushRequest, Receipt


class Chatwoot:
    """One account; keeps nothing between calls."""

    def __init__(self, options: ChatwootOptions, transport: Transport) -> None:
        self._options = options
        self._api = Api(options, transport.http)
        self._reading = Reading(self._api, options)

    async def check(self) -> None:
        """Ask for one page, and for the inbox: address, token and numbers are right if that works.

        Raises:
            BadPayload: with a hint where one of the numbers is wrong.
        """
        try:
            await self._api.conversations(1)
            if self._options.inbox_id is not None:
                await self._api.inbox(self._options.inbox_id)
        except BadPayload as fault:
            if fault.detail in GONE:
                hint = "are base_url, account_id and inbox_id those of this token's account?"
                raise BadPayload(f"{fault}: {hint}", detail=fault.detail) from None
            raise

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``conversations``."""
        if stream == offer.CONVERSATIONS:
            return await self._reading.fetch(cursor, position, now)
        raise ValueError(f"no stream {stream}")

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These conversations whole."""
        return await self._reading.look(threads, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:  # noqa: ARG002  # the protocol hands it to everybody
        """Write to the buyer, once.

        Where nothing could be written by what we know, the conversation is read again: the buyer
        may have written since.
        """
        answering.check(thread, draft)
        if answering.is_shut(thread) and not await self._is_open(thread.id):
            raise Refused(answering.SHUT, detail="window")
        return Sent(await self._api.send(thread.id, draft))

    async def _is_open(self, conversation: str) -> bool:
        """Whether something can be written in it now; not in one that cannot be read."""
        try:
            return (await self._api.conversation(conversation)).value.can_reply is not False
        except BadPayload:
            return False


class Pushed(Chatwoot):
    """The same with an address for pushes."""

    def __init__(self, options: ChatwootOptions, transport: Transport, push: Push) -> None:
        super().__init__(options, transport)
        self._push = push

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """As above, and whether our webhook is there."""
        if stream == offer.WEBHOOKS:
            return await registered.page(self._api, self._push, now)
        return await super().fetch(stream, cursor, position, now)

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check and translate a push; nothing is stored here."""
        return receiving.receive(request, self._options, self._push, now)

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Set up the webhook; Chatwoot wants no contact."""
        del contact, now
        return subscribing.set_up(self._api, self._push)


def opened(options: ChatwootOptions, transport: Transport) -> Connector:
    """The connector of an account: of the class that can what its options say."""
    if options.push is None:
        return Chatwoot(options, transport)
    return Pushed(options, transport, options.push)
