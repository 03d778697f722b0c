"""Reads what buyers remark on one shop's orders, and answers by notes; with pushes where set up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from connectors.webstore.woocommerce import answering, offer, receiving, registered
from connectors.webstore.woocommerce.api import Api
from connectors.webstore.woocommerce.reading import Reading
from core.connector import Sent
from core.errors import BadCredentials, BadPayload, ConnectorError
from core.pushes import Receipt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from connectors.webstore.woocommerce.options import Push, WooCommerceOptions
    from core.connector import Connector, Transport
    from core.model import Draft, Page, Thread
    from core.pushes import PushRequest

PATIENCE = 8.0
"""Seconds for the notes that a push is about: what is not answered in time counts as a failure."""
FAR = "2100-01-01T00:00:00"
UNMAILED = (
    "replies: the shop does not mail notes to customers; switch `Customer note` on under"
    " WooCommerce, Settings, Emails"
)
UNSEEN = (
    "replies: nobody knows whether the shop mails notes to customers (WooCommerce, Settings,"
    " Emails, `Customer note`); the key may not read its settings"
)


class WooCommerce:
    """One account; keeps nothing between calls."""

    def __init__(self, options: WooCommerceOptions, transport: Transport) -> None:
        self._options = options
        self._api = Api(options, transport.http)
        self._reading = Reading(self._api, options)

    async def check(self) -> Sequence[str]:
        """Ask for one order, and whether notes are mailed."""
        await self._api.orders(FAR, 1, 1)
        try:
            return () if await self._api.mails_notes() else (UNMAILED,)
        except (BadCredentials, BadPayload):
            return (UNSEEN,)

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``orders``."""
        if stream == offer.ORDERS:
            return await self._reading.fetch(cursor, position, now)
        raise ValueError(f"no stream {stream}")

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These orders with all notes about them."""
        return await self._reading.look(threads, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:  # noqa: ARG002  # the protocol hands it to everybody
        """Write a note that the shop mails to the buyer, once."""
        return Sent(await self._api.add_note(thread.id, answering.note(thread, draft)))


class Pushed(WooCommerce):
    """The same with an address for pushes."""

    def __init__(self, options: WooCommerceOptions, transport: Transport, push: Push) -> None:
        super().__init__(options, transport)
        self._push = push

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """As above, and whether our webhooks are there and active."""
        if stream == offer.HOOKS:
            return await registered.page(self._api, self._push, now)
        return await super().fetch(stream, cursor, position, now)

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check and translate a push; one that a note was written has the notes read.

        WooCommerce sends once, and switches off who fails: what cannot be read now the next walk
        reads.
        """
        found = receiving.receive(request, self._options, self._push, now)
        if isinstance(found, Receipt):
            return found
        try:
            async with asyncio.timeout(PATIENCE):
                page = await self._reading.look([found.order], now)
        except (ConnectorError, TimeoutError):
            return Receipt(
                receiving.GOOD, wake=found.accounts, pushed=found.pushed, outcome="failed"
            )
        pages = dict.fromkeys(found.accounts, page)
        return Receipt(receiving.GOOD, pages=pages, wake=found.accounts, pushed=found.pushed)

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Set up the webhooks; WooCommerce wants no contact."""
        del contact, now
        return registered.set_up(self._api, self._push)


def opened(options: WooCommerceOptions, transport: Transport) -> Connector:
    """The connector of an account: of the class that can what its options say."""
    if options.push is None:
        return WooCommerce(options, transport)
    return Pushed(options, transport, options.push)
