"""What the connector hands its calls to where messages come by the Trading API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.trading import answering, reading
from connectors.ebay.trading.calls import Calls

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.ebay.access import Access
    from connectors.ebay.options import EbayOptions
    from core.connector import Sent
    from core.model import Draft, Page, Thread

OPERATIONS = (reading.EXCHANGES, reading.LETTERS, answering.ANSWER, answering.WRITE)
"""The words that name these calls in metrics: eBay's own."""


class Trading:
    """The questions and letters of one account."""

    def __init__(self, access: Access, options: EbayOptions) -> None:
        self._calls = Calls(access, options)
        self._reading = reading.Reading(self._calls, options)

    async def check(self) -> None:
        """Ask for a moment that is long past: the consent is good."""
        await self._reading.check()

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of what was asked and answered since *cursor*, and in an overlap before it."""
        return await self._reading.fetch(cursor, position, now)

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These exchanges and letters whole; unknown ones are left out."""
        return await self._reading.look(threads, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:  # noqa: ARG002  # the protocol hands it to everybody
        """Answer once; errors as `core.connector.Replies` says."""
        return await answering.reply(self._calls, thread, draft)
