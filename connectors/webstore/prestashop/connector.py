"""Reads one shop's customer service, and answers its buyers by mail."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from connectors.webstore import outbox
from connectors.webstore.outbox import Outbox
from connectors.webstore.prestashop import answering, mapping, offer
from connectors.webstore.prestashop.api import Api
from connectors.webstore.prestashop.reading import Reading
from core.connector import Sent
from core.errors import BadPayload, ConnectorError
from core.model import SetAside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.outbox import Mail
    from connectors.webstore.prestashop.options import PrestaShopOptions
    from core.connector import Connector, Transport
    from core.model import Draft, Page, Thread

NO_SHOP = "is base_url the shop's address, and its webservice switched on?"
NO_ORDERS = "api_key: may not view orders, so threads name none; give the key that right"
NO_ROWS = (
    "api_key: may not add customer_messages: answers leave by mail, and the back office does not"
    " show them; give the key that right"
)


class PrestaShop:
    """One account."""

    def __init__(self, options: PrestaShopOptions, transport: Transport) -> None:
        self._options = options
        self._api = Api(options, transport.http)
        self._reading = Reading(self._api, options)

    async def check(self) -> Sequence[str] | None:
        """Ask for the zone, a message and a thread: address, key and rights are good if that works.

        Raises:
            BadPayload: with a hint where nothing of a webservice is there.
        """
        try:
            await self._reading.zone()
            await self._api.newest()
            await self._api.threads(["1"])
        except BadPayload as fault:
            if fault.detail == "404":
                raise BadPayload(f"{fault}; {NO_SHOP}", detail="404") from None
            raise
        return [] if await self._reading.orders_are_read() else [NO_ORDERS]

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``messages``."""
        if stream != offer.MESSAGES:
            raise ValueError(f"no stream {stream}")
        return await self._reading.fetch(cursor, position, now)

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These threads whole."""
        return await self._reading.look(threads, now)


class Answering(PrestaShop):
    """The same with a mail server: it can answer."""

    def __init__(self, options: PrestaShopOptions, transport: Transport, mail: Mail) -> None:
        super().__init__(options, transport)
        self._mail = mail
        self._outbox = Outbox(mail, transport)
        self._untold: dict[str, SetAside] = {}

    async def check(self) -> Sequence[str] | None:
        """As above; log in to the mail server, and see whether answers can be written down."""
        lacks = list(await super().check() or ())
        await self._outbox.check()
        return lacks if await self._api.may_add() else [*lacks, NO_ROWS]

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """As above, with the answers that the back office does not show."""
        page = await super().fetch(stream, cursor, position, now)
        untold, self._untold = tuple(self._untold.values()), {}
        return replace(page, set_aside=(*page.set_aside, *untold))

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Mail it, once, and then write it down for the back office, once.

        The letter is the answer: when it was taken, the reply is. A row that cannot be added is
        told to a person and never tried again: later it would look like an answer to whatever the
        buyer has written since.
        """
        began = monotonic()
        await self._outbox.send(answering.letter(thread, draft, self._mail, now))
        row = answering.row(thread, draft, self._options.employee_id)
        try:
            async with asyncio.timeout(max(0.0, outbox.SENDING - (monotonic() - began))):
                added = await self._api.add(row)
        except (ConnectorError, TimeoutError) as fault:
            self._miss(thread, draft, fault)
            return Sent(None)
        return Sent(None if added is None else mapping.message_id(added.id, added.date_add))

    def _miss(self, thread: Thread, draft: Draft, fault: ConnectorError | TimeoutError) -> None:
        """Keep, until the next page, that the back office lacks this answer."""
        why = fault.reason if isinstance(fault, ConnectorError) else "timeout"
        said = f"the answer was mailed, and may be missing in the shop's back office ({why})"
        name = f"reply:{draft.id}"
        raw = json.dumps({"thread": thread.id, "reply": draft.id}).encode()
        self._untold[name] = SetAside(name, said, raw)


def opened(options: PrestaShopOptions, transport: Transport) -> Connector:
    """The connector of an account: of the class that can what its options say."""
    if options.mail is None:
        return PrestaShop(options, transport)
    return Answering(options, transport, options.mail)
