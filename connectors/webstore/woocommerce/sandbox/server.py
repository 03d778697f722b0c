"""`Sandbox`: WooCommerce on loopback, with as many shops as one likes.

async with Sandbox(clock) as sandbox:
    shop = sandbox.add_shop("toys")
    order = shop.add_order("Please ring twice.")
    ...  # talk to sandbox.address(shop) with a key of shop.add_key()
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Self

from connectors.webstore.woocommerce.sandbox import acts, api
from connectors.webstore.woocommerce.sandbox.deliveries import Deliveries
from connectors.webstore.woocommerce.sandbox.shop import Shop
from core.sandbox.faults import Faults
from core.sandbox.heard import Hearing
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp import web


class Sandbox(Served):
    """Serves while it is entered; shops, orders and notes may be added at any time.

    *clock* is the true time; the server's own is `now`, which an ordered skew moves. The same
    *seed* gives the same keys and the same chance.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=api.error)
        self.shops: dict[str, Shop] = {}
        self.deliveries = Deliveries(self.now)
        self._hearing = Hearing(api.forms)
        self.heard = self._hearing.heard
        self._random = Random(seed)
        shared: dict[web.AppKey[Any], Any] = {
            api.SHOPS: self.shops, api.DELIVERIES: self.deliveries,
        }  # fmt: skip
        routes = [*acts.routes(), *api.routes()]
        super().__init__(Loopback(routes, self.faults, clock, forms=self._hearing, shared=shared))

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.deliveries.__aenter__()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.deliveries.__aexit__(*fault)
        await super().__aexit__(*fault)

    def add_shop(self, name: str = "shop") -> Shop:
        """A shop of its own, in a folder of this *name*."""
        made = Shop(name, self.now, Random(self._random.random()), self.deliveries.tell)
        self.shops[name] = made
        return made

    def address(self, shop: Shop) -> str:
        """Where *shop* is."""
        return f"{self.url}/{shop.name}"

    def options(self, shop: Shop, key: tuple[str, str] | None = None) -> dict[str, Any]:
        """How an account of the settings reads and answers *shop*."""
        name, secret = key or shop.add_key()
        return {
            "base_url": self.address(shop),
            "consumer_key": name,
            "consumer_secret": secret,
            "permalinks": shop.habits.permalinks,
        }
