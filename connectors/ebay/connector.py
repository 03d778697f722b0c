"""Reads and answers one seller: each stream and each call is handed to the part that knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay import limits, messages, offer
from connectors.ebay.access import Access
from connectors.ebay.messages import Messages, answering, reading
from core.transport.oauth import OPERATION as TOKEN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from connectors.ebay.options import EbayOptions
    from core.connector import Connector, Sent, Transport
    from core.model import Draft, Page, Thread
    from sla.policy import Party

OPERATIONS = (TOKEN, *limits.OPERATIONS, *messages.OPERATIONS)
"""The words that name our calls in metrics: eBay's own."""

LONG_AGO = {
    "conversation_type": "FROM_MEMBERS",
    "start_time": "2025-12-01T00:00:00.000Z",
    "end_time": "2025-12-01T00:00:01.000Z",
    "limit": "1",
}
"""A second of the past: of a large mailbox whatever is not narrowed is refused (trap 30)."""


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in a thread as it is stored."""
    return answering.refuses(thread, to)


class Ebay:
    """One account."""

    def __init__(self, options: EbayOptions, transport: Transport) -> None:
        self._options = options
        self._access = Access(options, transport.http)
        self._messages = Messages(self._access, options)

    async def check(self) -> None:
        """Ask for next to nothing of each API: the consent is good, and covers all of them."""
        await self._access.get(
            "api", f"{reading.BASE}/conversation", operation=reading.LIST, params=LONG_AGO
        )

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of what the stream's part reads."""
        if stream == offer.MESSAGES:
            return await self._messages.fetch(cursor, position, now)
        if stream == offer.NOTICES:
            return await self._messages.fetch_notices(cursor, position, now)
        if stream == offer.LIMITS:
            return await limits.read(self._access, now)
        raise ValueError(f"no stream {stream}")

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These threads whole."""
        return await self._messages.look(threads, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Answer once."""
        return await self._messages.reply(thread, draft, now)

    async def mark_read(self, threads: Sequence[Thread]) -> Mapping[str, str]:
        """Mark conversations as read."""
        return await self._messages.mark_read(threads)


def opened(options: EbayOptions, transport: Transport) -> Connector:
    """The connector of an account."""
    return Ebay(options, transport)
