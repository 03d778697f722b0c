"""`Sandbox`: BigCommerce on loopback, with as many stores as one likes, and a mail server.

async with Sandbox(clock) as sandbox:
    store = sandbox.add_store("toys")
    order = store.add_order()
    store.customer_writes(order.id, "Where is it?")
    ...  # talk to sandbox.url with a token of store.add_token()
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from connectors.webstore.bigcommerce.sandbox import acts, api
from connectors.webstore.bigcommerce.sandbox.deliveries import Deliveries
from connectors.webstore.bigcommerce.sandbox.store import DIGITS, Store
from core.sandbox.faults import Faults
from core.sandbox.heard import Hearing
from core.sandbox.mail_left import Leaving
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.sandbox.mail import Mail
    from core.sandbox.mail_left import Letter

V2, V3 = "/stores/{store}/v2", "/stores/{store}/v3"
SENDER, NAME = "support@store.example", "Example Store"


class Sandbox(Served):
    """Serves while it is entered; stores, orders and messages may be added at any time.

    *clock* is the true time; the server's own is `now`, which an ordered skew moves. The same
    *seed* gives the same tokens and the same chance.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=api.error)
        self.stores: dict[str, Store] = {}
        self.deliveries = Deliveries(self.now)
        self._hearing, self._leaving = Hearing(api.forms), Leaving(SENDER, NAME)
        self.heard = self._hearing.heard
        self._random = Random(seed)
        routes = [
            web.get(f"{V2}/orders", api.orders, name="orders"),
            web.get(f"{V2}/orders/{{order:\\d+}}", api.order, name="order"),
            web.get(f"{V2}/orders/{{order:\\d+}}/messages", api.messages, name="order_messages"),
            web.get(f"{V3}/hooks", api.hooks, name="hooks"),
            web.post(f"{V3}/hooks", api.hook_made, name="create_hook"),
            web.put(f"{V3}/hooks/{{hook:\\d+}}", api.hook_changed, name="update_hook"),
            *acts.routes(),
        ]
        shared: dict[web.AppKey[Any], Any] = {
            api.STORES: self.stores, acts.DELIVERIES: self.deliveries,
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

    def add_store(self, name: str = "store") -> Store:
        """A store of its own under this *name*."""
        random = Random(self._random.random())
        secret = "".join(random.choices(DIGITS, k=64))
        made = Store(name, self.now, random, secret, self.deliveries.tell)
        self.stores[name] = made
        return made

    def options(self, store: Store, token: str | None = None) -> dict[str, Any]:
        """How an account of the settings reads and answers *store*."""
        return {
            "base_url": self.url,
            "store_hash": store.hash,
            "access_token": token or store.add_token(),
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
