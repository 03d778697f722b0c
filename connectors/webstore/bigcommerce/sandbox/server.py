"""`Sandbox`: BigCommerce on loopback, with as many stores as one likes, and a mail server.

async with Sandbox(clock) as sandbox:
    store = sandbox.add_store("toys")
    order = store.add_order()
    store.customer_writes(order.id, "Where is it?")
    ...  # talk to sandbox.url with a token of store.add_token()
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

from connectors.webstore.bigcommerce.sandbox import acts, api
from connectors.webstore.bigcommerce.sandbox.deliveries import Deliveries
from connectors.webstore.bigcommerce.sandbox.store import DIGITS, Store
from core.sandbox import faults, mail
from core.sandbox.faults import Faults
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from core.sandbox.mail import Mail
    from core.sandbox.serve import Next

V2, V3 = "/stores/{store}/v2", "/stores/{store}/v3"
HEARD = 2000
SENDER, PASSWORD = "support@store.example", "a mail password"


@dataclass(frozen=True, slots=True)
class Heard:
    """A request as it came in: what tests hold against BigCommerce's contract."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that left: to whom, about what, and its words."""

    recipients: tuple[str, ...]
    sender: str
    subject: str
    text: str


class Sandbox(Served):
    """Serves while it is entered; stores, orders and messages may be added at any time.

    *clock* is the true time; the server's own is `now`, which an ordered skew moves. The same
    *seed* gives the same tokens and the same chance.
    """

    mail: Mail

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=api.error)
        self.stores: dict[str, Store] = {}
        self.deliveries = Deliveries(self.now)
        self.heard: deque[Heard] = deque(maxlen=HEARD)
        self._random = Random(seed)
        self._stack = AsyncExitStack()
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
        query = dict(request.query)
        response = await api.forms(request, answer)
        name, headers = faults.operation(request), dict(request.headers)
        self.heard.append(
            Heard(name, request.method, request.path, query, headers, response.status)
        )
        return response


def _letter(recipients: tuple[str, ...], sender: str, raw: bytes) -> Letter:
    told = message_from_bytes(raw, policy=default)
    body = told.get_body(("plain",))
    text = body.get_content().replace("\r\n", "\n") if body else ""
    return Letter(recipients, sender, str(told["Subject"]), text)
