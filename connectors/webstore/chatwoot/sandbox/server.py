"""`Sandbox`: Chatwoot on loopback, with as many accounts, inboxes and bad days as one likes.

async with Sandbox(clock) as sandbox:
    account = sandbox.desk.add_account()
    inbox = account.add_inbox()
    chat = account.open_chat("Is this still on sale?", inbox=inbox)
    ...  # talk to sandbox.url with the token account.agents[0].token
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from connectors.webstore.chatwoot.sandbox import (
    access,
    acts,
    conversations_api,
    page,
    webhooks_api,
)
from connectors.webstore.chatwoot.sandbox.deliveries import Deliveries
from connectors.webstore.chatwoot.sandbox.desk import Desk
from core.sandbox import faults
from core.sandbox.faults import Faults
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from connectors.webstore.chatwoot.sandbox.conversations_api import Reply
    from connectors.webstore.chatwoot.sandbox.desk import Inbox
    from core.sandbox.serve import Next

API = "/api/v1/accounts/{account}"
CHATS = f"{API}/conversations"
HOOKS = f"{API}/webhooks"
HEARD = 2000


@dataclass(frozen=True, slots=True)
class Heard:
    """A request as it came in, whole: what tests hold against Chatwoot's contract. Never shown."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    status: int


def _routes() -> list[web.RouteDef]:
    return [
        web.get(CHATS, conversations_api.listed, name="conversations"),
        web.get(f"{CHATS}/{{conversation}}", conversations_api.shown, name="conversation"),
        web.get(f"{CHATS}/{{conversation}}/messages", conversations_api.messages, name="messages"),
        web.post(f"{CHATS}/{{conversation}}/messages", conversations_api.write, name="send"),
        web.get(f"{API}/inboxes/{{inbox}}", conversations_api.inbox, name="inbox"),
        web.get(HOOKS, webhooks_api.listed, name="webhooks"),
        web.post(HOOKS, webhooks_api.made, name="webhook_made"),
        web.patch(f"{HOOKS}/{{webhook}}", webhooks_api.changed, name="webhook_changed"),
        web.delete(f"{HOOKS}/{{webhook}}", webhooks_api.removed, name="webhook_removed"),
        web.get(page.PATH, page.show, name="page"),
        web.post(page.PATH, page.act, name="page_act"),
        *acts.routes(),
    ]


class Sandbox(Served):
    """Serves while it is entered; accounts, inboxes and chats may be added at any time.

    *clock* is the true time; the server's own is `now`, which an ordered skew moves. The same
    *seed* gives the same tokens and the same chance. Pages are numbered, so that one that comes
    twice would hide another: the fault ``duplicate`` doubles items alone.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, continues=("none",), error=access.error)
        self.desk = Desk(self.now, Random(seed))
        self.deliveries = Deliveries(self.desk)
        self.desk.on_event = self.deliveries.tell
        self.replies: list[Reply] = []
        self.heard: deque[Heard] = deque(maxlen=HEARD)
        server = Loopback(
            _routes(),
            self.faults,
            clock,
            forms=self._forms,
            shared={
                access.DESK: self.desk,
                conversations_api.REPLIES: self.replies,
                acts.DELIVERIES: self.deliveries,
            },
        )
        super().__init__(server)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.deliveries.base = self.url
        await self.deliveries.__aenter__()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.deliveries.__aexit__(*fault)
        await super().__aexit__(*fault)

    def options(self, inbox: Inbox) -> dict[str, Any]:
        """How an account of the settings reads *inbox*."""
        account = inbox.account
        return {
            "base_url": self.url,
            "account_id": account.id,
            "inbox_id": inbox.id,
            "api_token": account.agents[0].token,
        }

    async def _forms(self, request: web.Request, answer: Next) -> web.StreamResponse:
        body, told = await request.read(), tuple(request.query.items())
        response = await access.forms(request, answer)
        name, headers = faults.operation(request), dict(request.headers)
        self.heard.append(
            Heard(name, request.method, request.path, told, headers, body, response.status)
        )
        return response
