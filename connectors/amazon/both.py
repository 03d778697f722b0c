"""The mailbox with SP-API beside it, for accounts that have `sp_api`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.amazon.connector import Amazon
from connectors.amazon.mends import telling
from connectors.amazon.offer import PERFORMANCE
from connectors.amazon.spapi import forms
from connectors.amazon.spapi.partner import Partner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connectors.amazon.options import AmazonOptions, SpApi
    from core.connector import Allowed, Deed, Transport
    from core.model import Order, Page


class AmazonAndApi(Amazon):
    """One account, read and answered by mail alone; what SP-API tells stands beside it."""

    def __init__(self, options: AmazonOptions, given: SpApi, transport: Transport) -> None:
        super().__init__(options, transport)
        self._given = given
        self._partner = Partner(options, given, transport.http)

    async def check(self) -> None:
        """Log in to the mailbox and the mail server, and ask SP-API where the seller sells."""
        await super().check()
        with telling(self._given):
            await self._partner.check()

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """The next letters, or Amazon's own numbers."""
        if stream == PERFORMANCE:
            return await self._partner.performance(cursor, now)
        return await super().fetch(stream, cursor, position, now)

    async def orders(self, ids: Sequence[str], now: datetime) -> Mapping[str, Order | None]:
        """These orders, as far as the rate allows."""
        return await self._partner.orders(ids, now)

    async def allowed(self, order: str, now: datetime) -> Allowed:
        """The typed messages that may be sent about *order* now."""
        return await self._partner.allowed(order, now)

    def refuses(self, deed: Deed) -> str | None:
        """Why Amazon certainly refuses *deed*; nothing is asked for that."""
        return forms.refuses(deed)

    async def act(self, deed: Deed, now: datetime) -> None:
        """Send a typed message once; it is no reply."""
        await self._partner.act(deed, now)
