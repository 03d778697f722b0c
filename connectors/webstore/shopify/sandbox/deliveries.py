"""Webhooks on their way: signed over the body alone, tried again for four hours, then given up.

A subscription whose deliveries failed eight times in a row is removed. A stand-in goes nowhere but
to this machine. Source: shopify.dev/docs/apps/build/webhooks (HTTPS delivery, troubleshooting).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import ClientTimeout

from connectors.webstore.shopify.sandbox import schema
from connectors.webstore.shopify.sandbox.shop import Dispute, Order
from core.sandbox.departures import Departures
from core.sandbox.sending import Delivering, Tried

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from connectors.webstore.shopify.sandbox.shop import Hook, Shop

AGAIN = (60, 120, 300, 600, 1200, 2400, 3600, 6120)
"""Seconds until each further try: eight in four hours."""
PATIENCE = ClientTimeout(total=5, sock_connect=1)
RECORDED = 50_000


@dataclass(frozen=True, slots=True)
class Push:
    """One delivery; its *id* stays the same however often it is tried, as does what it says."""

    shop: Shop
    hook: Hook
    id: str
    event: str
    topic: str
    body: bytes
    made_at: datetime
    tries: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """What goes along; the signature is of the body alone."""
        digest = hmac.new(self.shop.client_secret.encode(), self.body, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": self.topic,
            "X-Shopify-Hmac-Sha256": b64encode(digest).decode(),
            "X-Shopify-Shop-Domain": self.shop.domain,
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Webhook-Id": self.id,
            "X-Shopify-Event-Id": self.event,
            "X-Shopify-Triggered-At": self.made_at.isoformat(),
        }


@dataclass(slots=True)
class Deliveries(Delivering):
    """Delivers what is due while it is entered, unless it *is_held*."""

    now: Callable[[], datetime]
    tried: deque[Tried] = field(default_factory=lambda: deque(maxlen=RECORDED))
    made: deque[Push] = field(default_factory=lambda: deque(maxlen=RECORDED))
    _count: int = 0
    _departures: Departures[Push] = field(init=False)

    def __post_init__(self) -> None:
        self._departures = Departures(self.now, lambda: self.is_held, self._deliver)

    def _leaving(self) -> AbstractAsyncContextManager[None]:
        return self._departures.leaving()

    @property
    def waiting(self) -> int:
        """How many are to leave, now or later."""
        return len(self._departures)

    def tell(self, shop: Shop, topic: str, what: Any) -> None:
        """Tell whoever subscribed to *topic* at the store; compliance goes to every address."""
        self._count += 1
        told, event = _content(what), f"event-{self._count}"
        is_legal = topic.startswith(("customers/", "shop/"))
        places: dict[str, Hook] = {}
        for hook in shop.hooks.values():
            if is_legal or hook.topic == topic:
                places.setdefault(hook.uri, hook)
        for hook in places.values():
            kept = {name: told[name] for name in hook.fields if name in told} if hook.fields else {}
            body = json.dumps(told if is_legal or not kept else kept, ensure_ascii=False).encode()
            id_ = f"{hook.id:08}-{self._count}"
            self.put(Push(shop, hook, id_, event, topic, body, self.now()))

    def put(self, push: Push) -> None:
        """Let *push* leave; twice where that is the store's habit."""
        self.made.append(push)
        for _ in range(2 if push.shop.habits.pushes_twice else 1):
            self._departures.put(self.now(), push)

    async def deliver(self) -> list[int | None]:
        """Try all that is due; how each of those that were ever tried was answered."""
        await self._departures.settle()
        return [one.status for one in self.tried]

    async def _deliver(self, push: Push) -> None:
        status = await self._sender.send(push.hook.uri, push.body, push.headers, PATIENCE)
        now = self.now()
        self.tried.append(Tried(now, push.id, status, push.topic))
        if status is not None and 200 <= status < 300:
            push.hook.failures = 0
            return
        push.hook.failures += 1
        if push.hook.failures >= len(AGAIN):
            push.shop.hooks.pop(push.hook.id, None)
        if push.tries < len(AGAIN):
            later = replace(push, tries=push.tries + 1)
            self._departures.put(now + timedelta(seconds=AGAIN[push.tries]), later)


def _content(what: Any) -> dict[str, Any]:
    if isinstance(what, Order):
        return schema.webhook(what)
    return schema.dispute_webhook(what) if isinstance(what, Dispute) else dict(what)
