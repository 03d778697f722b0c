"""Reads one store's remarks and disputes, and answers by mail; with pushes where set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.outbox import Outbox
from connectors.webstore.shopify import answering, offer, receiving, registered
from connectors.webstore.shopify.api import Api
from connectors.webstore.shopify.options import SHOWN
from connectors.webstore.shopify.reading import Reading
from core.connector import Sent
from core.errors import BadCredentials, BadPayload
from core.model import merged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from connectors.webstore.outbox import Mail
    from connectors.webstore.shopify.options import Push, ShopifyOptions
    from core.connector import Connector, Transport
    from core.model import Draft, Page, Thread
    from core.pushes import PushRequest, Receipt

ALL_ORDERS, SOME_ORDERS = "read_all_orders", frozenset({"read_orders", "write_orders"})
OF_DISPUTES = "read_shopify_payments_disputes"


class Shopify:
    """One account; keeps nothing between calls but its token."""

    def __init__(self, options: ShopifyOptions, transport: Transport) -> None:
        self._options = options
        self._api = Api(options, transport.http)
        self._reading = Reading(self._api, options)

    async def check(self) -> Sequence[str]:
        """Ask what the app may do at the store: address, token and scopes are right if that works.

        Raises:
            BadCredentials: it may not read orders.
            BadPayload: the token is another store's.
        """
        app = await self._api.app()
        if app.shop.domain is not None and app.shop.domain != self._options.store:
            raise BadPayload("app: the token is another store's; is store right?", detail="store")
        scopes = {one.handle for one in app.installation.access_scopes}
        if not scopes & SOME_ORDERS:
            told = "app: it lacks the scope read_orders; give it that, and install it again"
            raise BadCredentials(told, detail="403", alone=True)
        return self._lacking(scopes)

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``orders`` or ``disputes``."""
        if stream == offer.ORDERS:
            return await self._reading.orders(cursor, position, now)
        if stream == offer.DISPUTES:
            return await self._reading.disputes(position, now)
        raise ValueError(f"no stream {stream}")

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These orders and disputes."""
        return merged(await self._reading.look(threads, now))

    def _lacking(self, scopes: set[str]) -> tuple[str, ...]:
        options, found = self._options, list[str]()
        if options.disputes and OF_DISPUTES not in scopes:
            found.append(
                f"disputes: the app lacks the scope {OF_DISPUTES}: disputes and their dates are"
                " not seen; give it that, or write disputes = false"
            )
        if options.look_back > SHOWN and ALL_ORDERS not in scopes:
            found.append(
                f"look_back: without the scope {ALL_ORDERS} Shopify shows orders of 60 days alone"
            )
        if other := self._api.other_version:
            found.append(f"api_version: {options.api_version} is not served, {other} answers")
        return tuple(found)


class Answering(Shopify):
    """The same with a mail server: it can answer."""

    def __init__(self, options: ShopifyOptions, transport: Transport, mail: Mail) -> None:
        super().__init__(options, transport)
        self._mail, self._outbox = mail, Outbox(mail, transport)

    async def check(self) -> Sequence[str]:
        """As above, and log in to the mail server."""
        found = await super().check()
        await self._outbox.check()
        return found

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Mail it, once. Shopify does not show it."""
        letter = answering.letter(thread, draft, self._mail, now)
        await self._outbox.send(letter)
        return Sent(letter.message_id)


class Pushed(Shopify):
    """The same with an address for pushes."""

    @property
    def _push(self) -> Push:
        if self._options.push is None:
            raise ValueError("this account has no address for pushes")
        return self._options.push

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """As above, and whether our subscriptions are there."""
        if stream == offer.HOOKS:
            return await registered.page(self._api, self._options, self._push, now)
        return await super().fetch(stream, cursor, position, now)

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check and translate a push, without a call."""
        secret = self._options.client_secret
        told = "" if secret is None else secret.get_secret_value()
        return receiving.receive(request, self._options, told, now)

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Subscribe to what is wanted; Shopify mails its alerts to the app's developer."""
        del contact, now
        return registered.set_up(self._api, self._options, self._push)


class PushedAndAnswering(Pushed, Answering):
    """Both."""


def opened(options: ShopifyOptions, transport: Transport) -> Connector:
    """The connector of an account: of the class that can what its options say."""
    if options.mail is None:
        return (Shopify if options.push is None else Pushed)(options, transport)
    kind = Answering if options.push is None else PushedAndAnswering
    return kind(options, transport, options.mail)
