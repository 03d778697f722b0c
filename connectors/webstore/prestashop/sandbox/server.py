"""`Sandbox`: PrestaShops on loopback, as many as one likes, and the mail server they write through.

async with Sandbox(clock) as sandbox:
    shop = sandbox.add_shop("toys")
    thread = shop.open_thread("Is this still on sale?")
    ...  # talk to sandbox.base_url(shop) with a key of shop.add_key()
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from connectors.webstore.prestashop.sandbox import acts, forms, webservice
from connectors.webstore.prestashop.sandbox.shop import RESOURCES, Shop
from core.sandbox.faults import Faults
from core.sandbox.heard import Hearing
from core.sandbox.mail_left import Leaving
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.sandbox.mail import Mail
    from core.sandbox.mail_left import Letter

API = "/{shop}/api"
SENDER, NAME = "support@shop.example", "Example Shop"


class Sandbox(Served):
    """Serves while it is entered; shops, keys and threads may be added at any time.

    *clock* is the true time; the servers' own is `now`, which an ordered skew moves. The same
    *seed* gives the same keys and the same chance.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=forms.error)
        self.shops: dict[str, Shop] = {}
        self._hearing, self._leaving = Hearing(webservice.forms_of), Leaving(SENDER, NAME)
        self.heard = self._hearing.heard
        self._random = Random(seed)
        routes = [
            web.get(f"{API}/", webservice.index, name="rights"),
            *(web.get(f"{API}/{one}", webservice.listed, name=one) for one in RESOURCES),
            web.post(f"{API}/{{resource}}", webservice.added, name="add"),
            web.get(f"{API}/{{resource}}", webservice.listed, name="other"),
            *acts.routes(),
        ]
        shared: dict[web.AppKey[Any], Any] = {
            webservice.SHOPS: self.shops,
            acts.LETTERS: self._outside,
        }
        super().__init__(Loopback(routes, self.faults, clock, forms=self._hearing, shared=shared))

    async def __aenter__(self) -> Self:
        await self._leaving.__aenter__()
        await super().__aenter__()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await super().__aexit__(*fault)
        await self._leaving.__aexit__(*fault)

    def add_shop(self, name: str = "shop") -> Shop:
        """A PrestaShop of its own under this *name*."""
        made = Shop(name, self.now, Random(self._random.random()))
        self.shops[name] = made
        return made

    def base_url(self, shop: Shop) -> str:
        """Where *shop* is."""
        return f"{self.url}/{shop.name}"

    def options(self, shop: Shop, key: str | None = None) -> dict[str, Any]:
        """How an account of the settings reads and answers *shop*."""
        return {
            "base_url": self.base_url(shop),
            "api_key": key or shop.add_key(),
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

    def _outside(self) -> list[dict[str, str]]:
        """What the control endpoints show of them: no words."""
        return [{"to": ", ".join(one.recipients), "subject": one.subject} for one in self.letters]
