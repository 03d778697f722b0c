"""Pushes on their way: signed as Standard Webhooks, tried again for 48 hours, then given up.

After the last try the webhook is switched off. A stand-in goes nowhere but to this machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import b64encode
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import ClientTimeout

from core.sandbox import sending
from core.sandbox.sending import Delivering, Tried

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from connectors.webstore.bigcommerce.sandbox.store import Hook, Message, Store

AGAIN = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400)
"""Seconds until each further try."""
PATIENCE = ClientTimeout(total=10)
RECORDED = 50_000


@dataclass(slots=True)
class Push:
    """One delivery to one webhook; its *id* stays the same however often it is tried."""

    store: Store
    hook: Hook
    id: str
    body: bytes
    due: datetime
    tries: int = 0


@dataclass(slots=True)
class Deliveries(Delivering):
    """Delivers what is due while it is entered, unless it *is_held*."""

    now: Callable[[], datetime]
    tried: deque[Tried] = field(default_factory=lambda: deque(maxlen=RECORDED))
    waiting: list[Push] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def _leaving(self) -> AbstractAsyncContextManager[None]:
        return sending.rounds(self.deliver)

    def tell(self, store: Store, message: Message) -> None:
        """Tell every active webhook of the store that *message* was written."""
        for hook in store.hooks.values():
            if hook.is_active and hook.scope == "store/order/message/created":
                self.waiting.append(self.push(store, hook, message))

    def push(self, store: Store, hook: Hook, message: Message) -> Push:
        """The delivery about *message*."""
        told: dict[str, Any] = {
            "scope": hook.scope,
            "store_id": "1001",
            "data": {
                "type": "order",
                "id": message.order.id,
                "message": {"order_message_id": message.id},
            },
            "created_at": int(message.at.timestamp()),
            "producer": f"stores/{store.hash}",
        }
        told["hash"] = hashlib.sha1(json.dumps(told).encode(), usedforsecurity=False).hexdigest()
        body = json.dumps(told).encode()
        return Push(store, hook, f"msg_{hook.id}_{message.id}", body, self.now())

    async def deliver(self) -> list[int | None]:
        """Try all that is due; how each of those that were ever tried was answered."""
        async with self._turn:
            due = [] if self.is_held else [one for one in self.waiting if one.due <= self.now()]
            await asyncio.gather(*(self._deliver(one) for one in due))
        return [one.status for one in self.tried]

    def headers(self, push: Push) -> dict[str, str]:
        """What goes along: signed at the second at which it leaves."""
        second = str(int(self.now().timestamp()))
        content = f"{push.id}.{second}.".encode() + push.body
        digest = hmac.new(push.store.client_secret.encode(), content, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "webhook-id": push.id,
            "webhook-timestamp": second,
            "webhook-signature": f"v1,{b64encode(digest).decode()}",
        }

    async def _deliver(self, push: Push) -> None:
        place, headers = push.hook.destination, self.headers(push)
        status = await self._sender.send(place, push.body, headers, PATIENCE)
        self.tried.append(Tried(self.now(), push.id, status))
        if status is not None and 200 <= status < 300:
            self.waiting.remove(push)
        elif push.tries >= len(AGAIN):
            self.waiting.remove(push)
            push.hook.is_active = False
        else:
            push.due = self.now() + timedelta(seconds=AGAIN[push.tries])
            push.tries += 1
