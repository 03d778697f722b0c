"""`Sandbox`: Shopify on loopback, with as many stores as one likes, and a mail server.

async with Sandbox(clock) as sandbox:
    shop = sandbox.add_shop("toys")
    shop.buys("Please leave it at the door")
    ...  # talk to sandbox.url with a token of shop.add_token()
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from connectors.webstore.shopify.sandbox import acts, api
from connectors.webstore.shopify.sandbox.deliveries import Deliveries
from connectors.webstore.shopify.sandbox.shop import DIGITS, Shop
from core.sandbox.faults import Faults
from core.sandbox.heard import Hearing
from core.sandbox.mail_left import Leaving
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.sandbox.mail import Mail
    from core.sandbox.mail_left import Letter
    from core.sandbox.serve import Next

SENDER, NAME = "support@store.example", "Example Store"


class Sandbox(Served):
    """Serves while it is entered; stores, orders and disputes may be added at any time.

    *clock* is the true time; the server's own is `now`, which an ordered skew moves. The same
    *seed* gives the same tokens and the same chance. All stores are of one app.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=api.error)
        self.shops: dict[str, Shop] = {}
        self.deliveries = Deliveries(self.now)
        self._hearing, self._leaving = Hearing(_forms), Leaving(SENDER, NAME)
        self.heard = self._hearing.heard
        self._random = Random(seed)
        self.client_id = "".join(self._random.choices(DIGITS, k=32))
        self.client_secret = "shpss_" + "".join(self._random.choices(DIGITS, k=32))
        routes = [
            web.post("/{shop}/admin/api/{version}/graphql.json", api.graphql, name="graphql"),
            web.post("/{shop}/admin/oauth/access_token", api.token, name="token"),
            *acts.routes(),
        ]
        shared: dict[web.AppKey[Any], Any] = {
            api.SHOPS: self.shops, acts.DELIVERIES: self.deliveries,
        }  # fmt: skip
        super().__init__(Loopback(routes, self.faults, clock, forms=self._hearing, shared=shared))

    async def __aenter__(self) -> Self:
        await self._leaving.__aenter__()
        await super().__aenter__()
        await self.deliveries.__aenter__()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.deliveries.__aexit__(*fault)
        await super().__aexit__(*fault)
        await self._leaving.__aexit__(*fault)

    def add_shop(self, name: str = "store") -> Shop:
        """A store of its own under this *name*."""
        random = Random(self._random.random())
        tell = self.deliveries.tell
        made = Shop(name, self.now, random, self.client_id, self.client_secret, tell)
        self.shops[name] = made
        return made

    def options(self, shop: Shop, token: str | None = None) -> dict[str, Any]:
        """How an account of the settings reads and answers *shop*."""
        return {
            "base_url": f"{self.url}/{shop.name}",
            "store": shop.domain,
            "access_token": token or shop.add_token(),
            "client_secret": shop.client_secret,
            "mail": self._leaving.options(),
        }

    @property
    def mail(self) -> Mail:
        """The mail server through which letters leave."""
        return self._leaving.mail

    @property
    def letters(self) -> list[Letter]:
        """The letters handed in so far, the oldest first."""
        return self._leaving.letters


async def _forms(request: web.Request, answer: Next) -> web.StreamResponse:
    return await answer(request)
