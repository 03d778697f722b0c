"""A stand-in's server on loopback: a free port, a clock that is handed in, a record of requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from core.sandbox import control, faults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

RECORDED = 2000
LARGEST = 32 * 2**20
"""So many bytes a request may have."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in, and how it was answered (*status* None: cut); no headers."""

    at: datetime
    operation: str
    method: str
    path: str
    query: dict[str, str]
    status: int | None
    fault: str | None


class Loopback:
    """Serves *routes* on 127.0.0.1 while it is entered.

    Every answer's ``Date`` is the marketplace's clock, skew included. Faults come between the
    record and the routes; those under ``/_sandbox`` are spared. *forms* turns what a route raises
    into the marketplace's own errors; *shared* is what the routes find in their application.
    *received*: a record that several servers of one marketplace keep together.
    """

    def __init__(
        self,
        routes: list[web.RouteDef],
        rules: faults.Faults,
        clock: Callable[[], datetime],
        *,
        forms: Callable[[web.Request, Next], Awaitable[web.StreamResponse]],
        shared: Mapping[web.AppKey[Any], Any] | None = None,
        received: deque[Received] | None = None,
    ) -> None:
        self.faults = rules
        self.received = deque(maxlen=RECORDED) if received is None else received
        self._clock = clock
        self._forms = forms
        self._app = web.Application(middlewares=[self._answer], client_max_size=LARGEST)
        for key, value in (shared or {}).items():
            self._app[key] = value
        self._app.add_routes([*routes, *control.routes(rules, self.received)])
        self._app.on_response_prepare.append(self._date)
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.2)
        self.url = ""

    def now(self) -> datetime:
        """The marketplace's own time, to the millisecond, skew included."""
        return self.faults.shown(self._clock())

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _answer(self, request: web.Request, handler: Next) -> web.StreamResponse:
        async def formed(request: web.Request) -> web.StreamResponse:
            return await self._forms(request, handler)

        if request.path.startswith(control.PREFIX):
            return await handler(request)
        at = self._clock()
        response = await self.faults.answer(request, formed)
        self._record(request, response, at)
        return response

    def _record(self, request: web.Request, response: web.StreamResponse, at: datetime) -> None:
        fault = request.get(faults.STRUCK)
        self.received.append(
            Received(
                at,
                faults.operation(request),
                request.method,
                request.path,
                dict(request.query),
                None if fault == "drop" else response.status,
                fault,
            )
        )

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(self.now().astimezone(UTC), usegmt=True)


class Served:
    """A stand-in that answers over HTTP: it serves by its *server* while it is entered."""

    def __init__(self, server: Loopback) -> None:
        self._server = server

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self._server.__aexit__(*fault)

    @property
    def received(self) -> deque[Received]:
        """The last requests, oldest first, without their headers."""
        return self._server.received

    @property
    def url(self) -> str:
        """The server's root; the control endpoints are under ``/_sandbox``."""
        return self._server.url

    def now(self) -> datetime:
        """The marketplace's own time, to the millisecond, skew included."""
        return self._server.now()

    def calls(self, operation: str) -> list[Received]:
        """The last requests of one operation, oldest first."""
        return [one for one in self.received if one.operation == operation]
