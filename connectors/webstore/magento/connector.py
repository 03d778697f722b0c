"""Reads what buyers remark on one shop's orders, and answers by comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.magento import answering, offer
from connectors.webstore.magento.api import Api
from connectors.webstore.magento.reading import Reading
from core.connector import Sent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.magento.options import MagentoOptions
    from core.connector import Transport
    from core.model import Draft, Page, Thread

FAR = "2100-01-01 00:00:00"


class Magento:
    """One account; keeps nothing between calls."""

    def __init__(self, options: MagentoOptions, transport: Transport) -> None:
        self._api = Api(options, transport.http)
        self._reading = Reading(self._api, options)

    async def check(self) -> None:
        """Ask for one order: address and token are right if that works."""
        await self._api.orders(FAR, 1, 1)

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``orders``."""
        if stream == offer.ORDERS:
            return await self._reading.fetch(cursor, position, now)
        raise ValueError(f"no stream {stream}")

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These orders with all comments about them."""
        return await self._reading.look(threads, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:  # noqa: ARG002  # the protocol hands it to everybody
        """Write a comment of which the buyer is notified, once.

        A comment without a status leaves the order with none, one with another changes it
        (magento2, issue 34180): the status is read just before.
        """
        text = answering.comment(thread, draft)
        status = await self._api.status(thread.id)
        await self._api.add_comment(thread.id, status, text)
        return Sent(None)
