"""Reads the messages about one store's orders, and answers by mail; with pushes where set up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.webstore.bigcommerce import answering, offer, receiving, registered
from connectors.webstore.bigcommerce.api import Api
from connectors.webstore.bigcommerce.reading import Reading
from connectors.webstore.outbox import Outbox
from core.connector import Sent
from core.errors import BadPayload, ConnectorError
from core.pushes import Receipt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from connectors.webstore.bigcommerce.options import BigCommerceOptions, Push
    from connectors.webstore.outbox import Mail
    from core.connector import Connector, Transport
    from core.model import Draft, Page, Thread
    from core.pushes import PushRequest

PATIENCE = 8.0
"""Seconds for the order that a push names: BigCommerce sends again what is not answered."""


class BigCommerce:
    """One account; keeps nothing between calls."""

    def __init__(self, options: BigCommerceOptions, transport: Transport) -> None:
        self._options = options
        self._api = Api(options, transport.http)
        self._reading = Reading(self._api, options)

    async def check(self) -> None:
        """Ask for one order: address, store and token are right if that works.

        Raises:
            BadPayload: with a hint where there is no such store.
        """
        try:
            await self._api.orders("2100-01-01T00:00:00+00:00", 1, 1)
        except BadPayload as fault:
            if fault.detail == "404":
                raise BadPayload(f"{fault}; is store_hash right?", detail="404") from None
            raise

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``messages``."""
        if stream == offer.MESSAGES:
            return await self._reading.fetch(cursor, position, now)
        raise ValueError(f"no stream {stream}")

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These orders with all messages about them."""
        return await self._reading.look(threads, now)


class Answering(BigCommerce):
    """The same with a mail server: it can answer."""

    def __init__(self, options: BigCommerceOptions, transport: Transport, mail: Mail) -> None:
        super().__init__(options, transport)
        self._mail, self._outbox = mail, Outbox(mail, transport)

    async def check(self) -> None:
        """As above, and log in to the mail server."""
        await super().check()
        await self._outbox.check()

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Mail it, once. BigCommerce does not show it."""
        letter = answering.letter(thread, draft, self._mail, now)
        await self._outbox.send(letter)
        return Sent(letter.message_id)


class Pushed(BigCommerce):
    """The same with an address for pushes."""

    @property
    def _push(self) -> Push:
        if self._options.push is None:
            raise ValueError("this account has no address for pushes")
        return self._options.push

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """As above, and whether our webhook is there and active."""
        if stream == offer.HOOKS:
            return await registered.page(self._api, self._push, now)
        return await super().fetch(stream, cursor, position, now)

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check a push, and read the order that it names before it is acknowledged.

        No list tells of a message whose order did not change: what cannot be read now, or does not
        show yet, is refused, and BigCommerce sends it again.
        """
        found = receiving.receive(request, self._options, self._push, now)
        if isinstance(found, Receipt):
            return found
        try:
            async with asyncio.timeout(PATIENCE):
                page = await self._reading.look([found.order], now)
        except (ConnectorError, TimeoutError):
            return Receipt(receiving.LATER, outcome="failed")
        if lack := receiving.missing(found, page):
            if found.is_new:
                return Receipt(receiving.LATER, outcome="failed")
            page = replace(page, set_aside=(*page.set_aside, lack))
        pages = dict.fromkeys(found.accounts, page)
        return Receipt(receiving.GOOD, pages=pages, wake=found.accounts, pushed=found.pushed)

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Set up the webhook; its alerts go to the API account's own address."""
        del contact, now
        return registered.set_up(self._api, self._push)


class PushedAndAnswering(Pushed, Answering):
    """Both."""


def opened(options: BigCommerceOptions, transport: Transport) -> Connector:
    """The connector of an account: of the class that can what its options say."""
    if options.mail is None:
        return (BigCommerce if options.push is None else Pushed)(options, transport)
    kind = Answering if options.push is None else PushedAndAnswering
    return kind(options, transport, options.mail)
