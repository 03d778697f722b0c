"""`Sandbox`: eBay on loopback, a port for each of its hosts, with as many bad days as one likes.

async with Sandbox(clock) as sandbox:
    seller = sandbox.market.add_seller("shop-b")
    sandbox.faults.order("status", status=500, operation="getConversations", count=3)
    ...  # an account whose options are sandbox.options(seller)
"""

from __future__ import annotations

from collections import deque
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Self

from connectors.ebay.sandbox import (
    access,
    acts,
    disputes_api,
    messages_api,
    notification_api,
    oauth,
    postorder,
    small_apis,
    trading,
)
from connectors.ebay.sandbox.market import Market
from connectors.ebay.sandbox.pushes import Pushes
from core.sandbox import faults
from core.sandbox.faults import Faults
from core.sandbox.serve import RECORDED, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aiohttp import web

    from connectors.ebay.sandbox.market import Seller
    from core.sandbox.serve import Next, Received

HOSTS = ("api", "apiz", "apim", "auth")
HEARD = 5000


@dataclass(frozen=True, slots=True)
class Heard:
    """A request as it came in, whole: what tests hold against eBay's contracts. Never shown."""

    host: str
    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    status: int


def _routes(host: str) -> list[web.RouteDef]:
    """What one of eBay's hosts answers; elsewhere the same path is unknown."""
    return [
        *oauth.routes(host),
        *acts.routes(host),
        *messages_api.routes(host),
        *notification_api.routes(host),
        *small_apis.routes(host),
        *postorder.routes(host),
        *disputes_api.routes(host),
        *trading.routes(host),
    ]


class Sandbox:
    """Serves while it is entered; sellers, applications and buyers may be added at any time.

    *clock* is the true time; eBay's own is `now`, which an ordered skew moves. The same *seed*
    gives the same ids and the same chance. *heard* are the last requests, whole.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("continuation_token",), error=access.error)
        self.market = Market(self.now, Random(seed))
        self.pushes = Pushes(self.market)
        self.market.on_message = self.pushes.message
        self.received: deque[Received] = deque(maxlen=RECORDED)
        self.heard: deque[Heard] = deque(maxlen=HEARD)
        self._clock = clock
        self._servers = {host: self._server(host) for host in HOSTS}
        self._stack = AsyncExitStack()

    def _server(self, host: str) -> Loopback:
        async def forms(request: web.Request, answer: Next) -> web.StreamResponse:
            response = await access.forms(request, answer)
            self.heard.append(await _heard(host, request, response))
            return response

        return Loopback(
            _routes(host),
            self.faults,
            self._clock,
            forms=forms,
            shared={
                access.MARKET: self.market,
                access.HOST: host,
                notification_api.PUSHES: self.pushes,
            },
            received=self.received,
        )

    async def __aenter__(self) -> Self:
        for server in self._servers.values():
            await self._stack.enter_async_context(server)
        await self._stack.enter_async_context(self.pushes)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def now(self) -> datetime:
        """The time at eBay, to the millisecond, skew included."""
        return self.faults.shown(self._clock())

    @property
    def hosts(self) -> dict[str, str]:
        """The address of each host."""
        return {name: server.url for name, server in self._servers.items()}

    @property
    def url(self) -> str:
        """Where the calls of most APIs go; the control endpoints are under ``/_sandbox``."""
        return self._servers["api"].url

    def options(self, seller: Seller) -> dict[str, Any]:
        """How an account of the settings reaches *seller*."""
        return {**seller.options(), "hosts": self.hosts}

    def calls(self, operation: str) -> list[Received]:
        """The last requests of one operation, on whichever host, oldest first."""
        return [one for one in self.received if one.operation == operation]


async def _heard(host: str, request: web.Request, response: web.StreamResponse) -> Heard:
    return Heard(
        host,
        faults.operation(request),
        request.method,
        request.path,
        tuple(request.query.items()),
        dict(request.headers),
        await request.read(),
        response.status,
    )
