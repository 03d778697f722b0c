"""Pushes on their way: by wp-cron, signed over their body, once; who fails is switched off.

As `WC_Webhook` does it (class-wc-webhook.php, read 2026-11-23): what it says is read when it
leaves, the id of a delivery is made of the second, 2xx and 301, 302 are a success, and one failure
more than five in a row switches the webhook off. A stand-in goes nowhere but to this machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import b64encode
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import ClientTimeout

from connectors.webstore.woocommerce.sandbox.shop import Order
from core.sandbox import sending
from core.sandbox.sending import Delivering, Tried

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from connectors.webstore.woocommerce.sandbox.shop import Hook, Shop

PATIENCE = ClientTimeout(total=10)
MOST_FAILURES = 5
RECORDED = 50_000


@dataclass(frozen=True, slots=True)
class Push:
    """Something that is told to one webhook when wp-cron comes round."""

    shop: Shop
    hook: Hook
    about: Any

    def body(self) -> bytes:
        """What it says, as the shop is now."""
        if isinstance(self.about, Order):
            told = self.about.told(self.shop)
        else:
            told = {"action": self.hook.topic.partition(".")[2], "arg": self.about}
        return json.dumps(told).encode()


@dataclass(slots=True)
class Deliveries(Delivering):
    """Delivers what waits while it is entered, unless it *is_held*."""

    now: Callable[[], datetime]
    tried: deque[Tried] = field(default_factory=lambda: deque(maxlen=RECORDED))
    pings: list[int | None] = field(default_factory=list)
    waiting: list[Push] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def _leaving(self) -> AbstractAsyncContextManager[None]:
        return sending.rounds(self.deliver)

    def tell(self, shop: Shop, topic: str, about: Any) -> None:
        """Tell every active webhook for *topic*."""
        for hook in shop.hooks.values():
            if hook.status == "active" and hook.topic == topic:
                self.waiting.append(Push(shop, hook, about))

    async def ping(self, hook: Hook) -> None:
        """What a webhook gets when it is saved: a form, unsigned."""
        body = f"webhook_id={hook.id}".encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self.pings.append(await self._sender.send(hook.url, body, kind, PATIENCE))

    async def deliver(self) -> list[int | None]:
        """Send all that waits; how each of those that were ever sent was answered."""
        async with self._turn:
            due = [] if self.is_held else list(self.waiting)
            await asyncio.gather(*(self._deliver(one) for one in due))
        return [one.status for one in self.tried]

    def headers(self, push: Push, body: bytes) -> dict[str, str]:
        """What goes along."""
        digest = hmac.new(push.hook.secret.encode(), body, hashlib.sha256).digest()
        resource, _, event = push.hook.topic.partition(".")
        second = f"{push.hook.id}{int(self.now().timestamp())}"
        return {
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": "https://shop.example/",
            "X-WC-Webhook-Topic": push.hook.topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": b64encode(digest).decode(),
            "X-WC-Webhook-ID": str(push.hook.id),
            "X-WC-Webhook-Delivery-ID": hashlib.sha256(second.encode()).hexdigest()[:32],
        }

    async def _deliver(self, push: Push) -> None:
        body = push.body()
        headers = self.headers(push, body)
        self.waiting.remove(push)
        status = await self._sender.send(push.hook.url, body, headers, PATIENCE)
        name = headers["X-WC-Webhook-Delivery-ID"]
        self.tried.append(Tried(self.now(), name, status, push.hook.topic))
        if status is not None and 200 <= status < 303:
            push.hook.failures = 0
        elif push.hook.failures > MOST_FAILURES:
            push.hook.status = "disabled"
        else:
            push.hook.failures += 1
