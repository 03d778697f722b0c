"""`Sandbox`: stores of any shape on loopback, and a mail server.

async with Sandbox(clock) as sandbox:
    shop = sandbox.add_shop(options)
    shop.asks("Where is it?")
    ...  # read by GenericOptions(kind="generic", **sandbox.options(shop))
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from aiohttp import web

from connectors.webstore.generic.sandbox import acts, answers_api, listing
from connectors.webstore.generic.sandbox.deliveries import Deliveries
from connectors.webstore.generic.sandbox.shop import Shop
from core.sandbox.faults import Faults
from core.sandbox.mail_left import Leaving
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.webstore.generic.options import GenericOptions
    from core.sandbox.mail import Mail
    from core.sandbox.serve import Next

SENDER, NAME = "support@store.example", "Example Store"


class Sandbox(Served):
    """Serves while it is entered; shops and messages may be added at any time.

    *clock* is the true time; the server's own is `now`, which an ordered skew moves. The same
    *seed* gives the same chance.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=listing.error)
        self.shops: dict[str, Shop] = {}
        self.deliveries = Deliveries(self.now)
        self._random = Random(seed)
        self._leaving = Leaving(SENDER, NAME)
        routes = [
            *acts.routes(),
            web.get("/{shop:\\d+}{tail:.*}", self._listed, name="messages"),
            web.route("*", "/{shop:\\d+}{tail:.*}", self._answered, name="send_message"),
        ]
        shared: dict[web.AppKey[Any], Any] = {
            acts.SHOPS: self.shops, acts.DELIVERIES: self.deliveries,
        }  # fmt: skip
        super().__init__(Loopback(routes, self.faults, clock, forms=_forms, shared=shared))

    async def __aenter__(self) -> Self:
        await self._leaving.__aenter__()
        await super().__aenter__()
        await self.deliveries.__aenter__()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.deliveries.__aexit__(*fault)
        await super().__aexit__(*fault)
        await self._leaving.__aexit__(*fault)

    @property
    def mail(self) -> Mail:
        """The mail server through which letters leave."""
        return self._leaving.mail

    def add_shop(self, options: GenericOptions) -> Shop:
        """A store that speaks as *options* say."""
        number = str(len(self.shops) + 1)
        made = Shop(options, self.now, Random(self._random.random()), self.deliveries.tell)
        self.shops[number] = made
        return made

    def options(self, shop: Shop) -> dict[str, Any]:
        """What of an account's options leads to *shop*, in place of what the settings say."""
        number = next(name for name, one in self.shops.items() if one is shop)
        told: dict[str, Any] = {}
        for name in ("poll", "reply"):
            table = getattr(shop.options, name)
            if table is not None:
                url = f"{self.url}/{number}{_behind_the_host(table.url)}"
                told[name] = {**table.model_dump(mode="json"), "url": url}
        if shop.options.mail is not None:
            told["mail"] = self._leaving.options()
        return told

    async def _listed(self, request: web.Request) -> web.Response:
        shop = self._shop(request)
        listing.entered(shop.options, request)
        return listing.answer(shop, request)

    async def _answered(self, request: web.Request) -> web.Response:
        shop = self._shop(request)
        listing.entered(shop.options, request)
        return await answers_api.answered(shop, request)

    def _shop(self, request: web.Request) -> Shop:
        found = self.shops.get(request.match_info["shop"])
        if found is None:
            raise listing.Refusal(404, "no such store")
        return found


async def _forms(request: web.Request, answer: Next) -> web.StreamResponse:
    try:
        return await answer(request)
    except listing.Refusal as refusal:
        told = listing.error(refusal.status, str(refusal))
        return web.json_response(told, status=refusal.status)


def _behind_the_host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
