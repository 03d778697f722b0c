"""The door: pushes come in, and what is set up for them there is read and set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.options import EbayOptions
from connectors.ebay.push import challenge, registered, signature, subscribing, topics
from connectors.ebay.push.keys import OPERATION as PUBLIC_KEY
from connectors.ebay.push.keys import Keys
from connectors.ebay.push.topics import Sellers
from core.pushes import Receipt
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from connectors.ebay.access import Access
    from core.model import Page
    from core.pushes import PushRequest

Learned = dict[str, frozenset[str]]

TOPICS = topics.TOPICS
OPERATIONS = (PUBLIC_KEY, *registered.OPERATIONS, *subscribing.OPERATIONS)


class Pushes:
    """What comes to one account's address, which all accounts of its application share."""

    def __init__(self, access: Access, options: EbayOptions) -> None:
        self._access, self._options = access, options
        self._keys = access.application.keys = access.application.keys or Keys(access)
        self._known: tuple[Mapping[str, object], Learned] = {}, {}
        self._sellers = Sellers({}, {})

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check who has sent it, and translate.

        As eBay's own kits answer: 412 to a wrong signature, 401 to none.

        Raises:
            ConnectorError: the key cannot be asked for now; eBay sends again.
        """
        push = self._options.push
        if push is None:
            return Receipt(404, outcome="unknown_account")
        if request.method == "GET":
            return challenge.answered(request.query, push)
        header = request.headers.get(signature.HEADER)
        if header is None:
            return Receipt(401, outcome="no_signature")
        if not await self._is_ebays(request.body, header):
            return Receipt(412, outcome="bad_signature")
        told = topics.understood(request.body, self._sharing(request.accounts), now)
        if told.outcome != "unknown_account" or not await self._is_more_learned():
            return told
        return topics.understood(request.body, self._sharing(request.accounts), now)

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """How our address and our subscription stand there."""
        del cursor, position
        return await registered.page(self._access, self._options, now)

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Set up what is missing; see `core.pushes.Subscribes`."""
        del now
        return subscribing.set_up(self._access, self._options, contact)

    async def _is_ebays(self, body: bytes, header: str) -> bool:
        signed = signature.read(header)
        if signed is None:
            return False
        key = await self._keys.key(signed.kid)
        return key is not None and signature.is_signed(body, signed, key)

    async def _is_more_learned(self) -> bool:
        """Whether eBay, asked what it calls our sellers, told more names than were known."""
        before = self._learned()
        await gathered(one.learn() for one in self._access.application.sellers.values())
        return self._learned() != before

    def _learned(self) -> Learned:
        """Every name of each seller of our application, by that in the settings."""
        sellers = self._access.application.sellers
        return {name: seller.names for name, seller in sellers.items()}

    def _sharing(self, accounts: Mapping[str, object]) -> Sellers:
        """The sellers of our application: an address is one application's.

        The accounts are the same ones until the settings are read anew.
        """
        known, learned = self._known
        if accounts is not known or self._learned() != learned:
            mine = _application(self._options)
            ours = {
                name: one
                for name, one in accounts.items()
                if isinstance(one, EbayOptions) and _application(one) == mine
            }
            self._known = accounts, self._learned()
            self._sellers = Sellers(ours, self._known[1])
        return self._sellers


def _application(options: EbayOptions) -> tuple[str, str]:
    return options.base("api"), options.client_id
