"""`Sandbox`: the Graph API on loopback, with as many bad days as one likes.

async with Sandbox(clock) as sandbox:
    line = sandbox.graph.add_line("whatsapp")
    sandbox.graph.says(line, sandbox.graph.add_person(line), "Where is my parcel?")
    ...  # an account whose options are sandbox.options(line)
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING, Any, Self

from connectors.webstore.meta.sandbox import acts, api, errors, nodes
from connectors.webstore.meta.sandbox.graph import OBJECTS, Graph, Subscription
from connectors.webstore.meta.sandbox.pushes import Pushes
from core.sandbox.faults import Faults
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp import web

    from connectors.webstore.meta.sandbox.graph import Line

VERIFY = "a-word-that-meta-asks-with"
FIELDS = {
    "whatsapp": {"messages", "smb_message_echoes"},
    "messenger": {"messages", "message_echoes", "messaging_postbacks"},
    "instagram": {"messages", "messaging_postbacks"},
}


class Sandbox(Served):
    """Serves while it is entered; lines and people may be added at any time.

    *clock* is the true time; Meta's own is `now`, which an ordered skew moves.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(
            clock, seed, continues=("after",), onward="paging.cursors.after", error=errors.body
        )
        self.graph = Graph(self.now, Random(seed))
        self.pushes = Pushes(self.graph)
        self.graph.on_said = self.pushes.said
        shared: dict[web.AppKey[Any], Any] = {api.GRAPH: self.graph, api.PUSHES: self.pushes}
        listed = [*acts.routes(), *api.routes(), *nodes.routes()]
        super().__init__(Loopback(listed, self.faults, clock, forms=errors.forms, shared=shared))
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self._stack.enter_async_context(self.pushes)
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self._stack.aclose()
        await super().__aexit__(*fault)

    def subscribe(self, line: Line, endpoint: str) -> None:
        """Set up, as if long ago, that news of *line* are pushed to *endpoint*."""
        line.fields = set(FIELDS[line.kind])
        line.app.subscriptions[OBJECTS[line.kind]] = Subscription(endpoint, set(line.fields))

    def options(self, line: Line) -> dict[str, Any]:
        """How an account of the settings reaches *line*, and where it stands."""
        told = {
            "api": self.url,
            "access_token": line.token.text,
            "app_id": line.app.id,
            "app_secret": line.app.secret,
            "verify_token": VERIFY,
        }
        if line.kind == "whatsapp":
            return {**told, "phone_number_id": line.id, "business_account_id": line.node}
        page = {**told, "page_id": line.id}
        return {**page, "instagram_id": line.own} if line.kind == "instagram" else page
