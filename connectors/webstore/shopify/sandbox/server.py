"""`Sandbox`: Shopify on loopback, with as many stores as one likes, and a mail server.

async with Sandbox(clock) as sandbox:
    shop = sandbox.add_shop("toys")
    shop.buys("Please leave it at the door")
    ...  # talk to sandbox.url with a token of shop.add_token()
"""

from __future__ import annotations

from collections import deque
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from random import Random
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from connectors.webstore.shopify.sandbox import acts, api
from connectors.webstore.shopify.sandbox.deliveries import Deliveries
from connectors.webstore.shopify.sandbox.shop import DIGITS, Shop
from core.sandbox import faults, mail
from core.sandbox.faults import Faults
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.sandbox.mail import Mail
    from core.sandbox.serve import Next

HEARD = 2000
SENDER, PASSWORD = "support@store.example", "a mail password"


@dataclass(frozen=True, slots=True)
class Heard:
    """A request as it came in."""

    operation: str
    path: str
    body: bytes
    status: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that left: to whom, about what, and its words."""

    recipients: tuple[str, ...]
    sender: str
    subject: str
    text: str


class Sandbox(Served):
    """Serves while it is entered; stores, orders and disputes may be added at any time.

    *clock* is the true time; the server's own is `now`, which an ordered skew moves. The same
    *seed* gives the same tokens and the same chance. All stores are of one app.
    """

    mail: Mail

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=api.error)
        self.shops: dict[str, Shop] = {}
        self.deliveries = Deliveries(self.now)
        self.heard: deque[Heard] = deque(maxlen=HEARD)
        self._random = Random(seed)
        self._stack = AsyncExitStack()
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
        super().__init__(Loopback(routes, self.faults, clock, forms=self._forms, shared=shared))

    async def __aenter__(self) -> Self:
        self.mail = await self._stack.enter_async_context(mail.opened({SENDER: PASSWORD}))
        await super().__aenter__()
        await self.deliveries.__aenter__()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.deliveries.__aexit__(*fault)
        await super().__aexit__(*fault)
        await self._stack.aclose()

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
            "mail": {
                "smtp": {"host": "127.0.0.1", "port": self.mail.smtp_port, "tls": "none"},
                "user": SENDER,
                "password": PASSWORD,
                "sender": SENDER,
                "name": "Example Store",
            },
        }

    @property
    def letters(self) -> list[Letter]:
        """The letters handed in so far, the oldest first."""
        return [_letter(one.recipients, one.sender, one.raw) for one in self.mail.taken]

    async def _forms(self, request: web.Request, answer: Next) -> web.StreamResponse:
        body = await request.read()
        response = await answer(request)
        name = faults.operation(request)
        self.heard.append(Heard(name, request.path, body, response.status))
        return response


def _letter(recipients: tuple[str, ...], sender: str, raw: bytes) -> Letter:
    told = message_from_bytes(raw, policy=default)
    body = told.get_body(("plain",))
    text = body.get_content().replace("\r\n", "\n") if body else ""
    return Letter(recipients, sender, str(told["Subject"]), text)
