"""`Sandbox`: PrestaShops on loopback, as many as one likes, and the mail server they write through.

async with Sandbox(clock) as sandbox:
    shop = sandbox.add_shop("toys")
    thread = shop.open_thread("Is this still on sale?")
    ...  # talk to sandbox.base_url(shop) with a key of shop.add_key()
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

from connectors.webstore.prestashop.sandbox import acts, forms, webservice
from connectors.webstore.prestashop.sandbox.shop import RESOURCES, Shop
from core.sandbox import faults, mail
from core.sandbox.faults import Faults
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from core.sandbox.mail import Mail
    from core.sandbox.serve import Next

API = "/{shop}/api"
HEARD = 2000
SENDER, PASSWORD = "support@shop.example", "a mail password"


@dataclass(frozen=True, slots=True)
class Heard:
    """A request as it came in, whole: what tests hold against PrestaShop's contract."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
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
    """Serves while it is entered; shops, keys and threads may be added at any time.

    *clock* is the true time; the servers' own is `now`, which an ordered skew moves. The same
    *seed* gives the same keys and the same chance.
    """

    mail: Mail

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=forms.error)
        self.shops: dict[str, Shop] = {}
        self.heard: deque[Heard] = deque(maxlen=HEARD)
        self._random = Random(seed)
        self._stack = AsyncExitStack()
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
        super().__init__(Loopback(routes, self.faults, clock, forms=self._forms, shared=shared))

    async def __aenter__(self) -> Self:
        self.mail = await self._stack.enter_async_context(mail.opened({SENDER: PASSWORD}))
        await super().__aenter__()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await super().__aexit__(*fault)
        await self._stack.aclose()

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
            "mail": {
                "smtp": {"host": "127.0.0.1", "port": self.mail.smtp_port, "tls": "none"},
                "user": SENDER,
                "password": PASSWORD,
                "sender": SENDER,
                "name": "Example Shop",
            },
        }

    @property
    def letters(self) -> list[Letter]:
        """The letters handed in so far, the oldest first."""
        return [_letter(one.recipients, one.sender, one.raw) for one in self.mail.taken]

    def _outside(self) -> list[dict[str, str]]:
        """What the control endpoints show of them: no words."""
        return [{"to": ", ".join(one.recipients), "subject": one.subject} for one in self.letters]

    async def _forms(self, request: web.Request, answer: Next) -> web.StreamResponse:
        body, query = await request.read(), dict(request.query)
        response = await webservice.forms_of(request, answer)
        name, headers = faults.operation(request), dict(request.headers)
        self.heard.append(
            Heard(name, request.method, request.path, query, headers, body, response.status)
        )
        return response


def _letter(recipients: tuple[str, ...], sender: str, raw: bytes) -> Letter:
    told = message_from_bytes(raw, policy=default)
    body = told.get_body(("plain",))
    text = body.get_content().replace("\r\n", "\n") if body else ""
    return Letter(recipients, sender, str(told["Subject"]), text)
