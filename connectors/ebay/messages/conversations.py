"""Conversations of one account: what its streams and calls are handed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.messages import answering, marking, reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.ebay.access import Access
    from connectors.ebay.options import EbayOptions
    from core.connector import Sent
    from core.model import Draft, Page, Thread

LONG_AGO = {
    "conversation_type": "FROM_MEMBERS",
    "start_time": "2025-12-01T00:00:00.000Z",
    "end_time": "2025-12-01T00:00:01.000Z",
    "limit": "1",
}
"""A second of the past: of a large mailbox whatever is not narrowed is refused (trap 30)."""


class Messages:
    """The conversations of one account."""

    def __init__(self, access: Access, options: EbayOptions) -> None:
        self._access, self._reading = access, reading.Reading(access, options)

    async def check(self) -> None:
        """Ask for a moment that is long past: the consent is good, and covers messages."""
        path = f"{reading.BASE}/conversation"
        await self._access.get("api", path, operation=reading.LIST, params=LONG_AGO)

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of what members wrote since *cursor*, and in an overlap before it."""
        return await self._reading.fetch(cursor, position, now)

    async def fetch_notices(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of what eBay wrote: shown, and without a clock (trap 44)."""
        return await self._reading.fetch_notices(cursor, position, now)

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These conversations whole; unknown ones are left out."""
        return await self._reading.look(threads, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:  # noqa: ARG002  # the protocol hands it to everybody
        """Answer in a conversation, once; errors as `core.connector.Replies` says."""
        return await answering.reply(self._access, thread, draft)

    async def mark_read(self, threads: Sequence[Thread]) -> dict[str, str]:
        """Mark conversations as read; why not, by thread, for those where it was not done."""
        return await marking.mark_read(self._access, threads)
