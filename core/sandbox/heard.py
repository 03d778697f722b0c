"""What a stand-in was asked, whole: what tests hold against the contract of the real one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.sandbox import faults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from core.sandbox.serve import Next

MOST = 2000
"""So many requests are kept, the newest."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A request as it came in, and the status of its answer."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    status: int


class Hearing:
    """The *forms* of a stand-in (`core.sandbox.serve.Loopback`) that keep what they answer."""

    def __init__(self, forms: Callable[[web.Request, Next], Awaitable[web.StreamResponse]]) -> None:
        self.heard: deque[Heard] = deque(maxlen=MOST)
        self._forms = forms

    async def __call__(self, request: web.Request, answer: Next) -> web.StreamResponse:
        body, query = await request.read(), dict(request.query)
        response = await self._forms(request, answer)
        name, headers = faults.operation(request), dict(request.headers)
        self.heard.append(
            Heard(name, request.method, request.path, query, headers, body, response.status)
        )
        return response
