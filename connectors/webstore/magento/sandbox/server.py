"""`Sandbox`: Magento on loopback, with as many shops as one likes.

async with Sandbox(clock) as sandbox:
    shop = sandbox.add_shop("toys")
    order = shop.add_order("Please ring twice.")
    ...  # talk to sandbox.address(shop) with a token of shop.add_token()
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.magento.sandbox import acts, api
from connectors.webstore.magento.sandbox.shop import Shop
from core.sandbox.faults import Faults
from core.sandbox.heard import Hearing
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


V1 = "/{shop}/rest/V1"


class Sandbox(Served):
    """Serves while it is entered; shops, orders and comments may be added at any time.

    *clock* is the true time; the server's own is `now`, which an ordered skew moves. The same
    *seed* gives the same tokens and the same chance.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=api.error)
        self.shops: dict[str, Shop] = {}
        self._hearing = Hearing(api.forms)
        self.heard = self._hearing.heard
        self._random = Random(seed)
        routes = [
            web.get(f"{V1}/orders", api.orders, name="orders"),
            web.get(f"{V1}/orders/{{order:\\d+}}/statuses", api.status, name="status"),
            web.post(
                f"{V1}/orders/{{order:\\d+}}/comments", api.comment_made, name="create_comment"
            ),
            *acts.routes(),
        ]
        shared: dict[web.AppKey[Any], Any] = {api.SHOPS: self.shops}
        super().__init__(Loopback(routes, self.faults, clock, forms=self._hearing, shared=shared))

    def add_shop(self, name: str = "shop") -> Shop:
        """A shop of its own, in a folder of this *name*."""
        made = Shop(name, self.now, Random(self._random.random()))
        self.shops[name] = made
        return made

    def address(self, shop: Shop) -> str:
        """Where *shop* is."""
        return f"{self.url}/{shop.name}"

    def options(self, shop: Shop, token: str | None = None) -> dict[str, Any]:
        """How an account of the settings reads and answers *shop*."""
        return {"base_url": self.address(shop), "access_token": token or shop.add_token()}
