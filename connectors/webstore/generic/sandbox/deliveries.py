"""Pushes on their way: signed as the settings say, tried again a few times, then given up."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import ClientTimeout

from connectors.webstore.generic.sandbox import writing
from core.sandbox.departures import Departures
from core.sandbox.sending import Delivering, Tried

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from connectors.webstore.generic.sandbox.shop import Message, Shop
    from connectors.webstore.generic.signing import Webhook

AGAIN = (10, 60, 600, 3600, 6 * 3600, 24 * 3600)
"""Seconds until each further try."""
PATIENCE = ClientTimeout(total=10)
RECORDED = 50_000


@dataclass(slots=True)
class Push:
    """One delivery; its *id* stays the same however often it is tried."""

    webhook: Webhook
    id: str
    body: bytes
    tries: int = 0


@dataclass(slots=True)
class Deliveries(Delivering):
    """Delivers what is due while it is entered, unless it *is_held*."""

    now: Callable[[], datetime]
    tried: deque[Tried] = field(default_factory=lambda: deque(maxlen=RECORDED))
    made: deque[Push] = field(default_factory=lambda: deque(maxlen=RECORDED))
    _departures: Departures[Push] = field(init=False)

    def __post_init__(self) -> None:
        self._departures = Departures(self.now, lambda: self.is_held, self._deliver)

    def _leaving(self) -> AbstractAsyncContextManager[None]:
        return self._departures.leaving()

    def tell(self, shop: Shop, message: Message) -> None:
        """Push *message* to where the settings say, if that."""
        if shop.options.webhook is not None:
            push = self.push(shop, message)
            self.made.append(push)
            self.put(push)

    def put(self, push: Push) -> None:
        """Let *push* leave, now."""
        self._departures.put(self.now(), push)

    def push(self, shop: Shop, message: Message) -> Push:
        """The delivery about *message*."""
        webhook = shop.options.webhook
        if webhook is None:
            raise ValueError("nothing is pushed")
        is_nested = shop.options.mapping.messages is not None
        whole = shop.told_whole(message.conversation, message) if is_nested else None
        item = whole if is_nested else shop.told(message)
        document: Any = writing.put(webhook.items, item, None)
        if webhook.when is not None:
            document = writing.holding(webhook.when, document)
        return Push(webhook, f"msg_{message.id}", json.dumps(document).encode())

    async def deliver(self) -> list[int | None]:
        """Try all that is due; how each that was ever tried was answered."""
        await self._departures.settle()
        return [one.status for one in self.tried]

    async def _deliver(self, push: Push) -> None:
        headers = {"Content-Type": "application/json", **signed(push, self.now())}
        status = await self._sender.send(push.webhook.endpoint, push.body, headers, PATIENCE)
        self.tried.append(Tried(self.now(), push.id, status))
        if (status is None or status >= 300) and push.tries < len(AGAIN):
            self._departures.put(self.now() + timedelta(seconds=AGAIN[push.tries]), push)
            push.tries += 1


def signed(push: Push, at: datetime) -> dict[str, str]:
    """What goes along, signed at the second at which it leaves."""
    how, second = push.webhook, int(at.timestamp())
    key = how.secret.get_secret_value()
    if how.scheme == "standard":
        return _standard(push, key, second)
    if how.scheme == "shared":
        return {str(how.header): how.prefix + key}
    stamp = str(second * 1000 if how.timestamp_in == "milliseconds" else second)
    text = how.signs.replace("{timestamp}", stamp).replace("{id}", push.id)
    head, tail = text.split("{body}")
    content = head.encode() + push.body + tail.encode()
    digest = hmac.new(_raw(key, how.key_encoding), content, getattr(hashlib, how.algorithm))
    spelt = digest.hexdigest() if how.encoding == "hex" else b64encode(digest.digest()).decode()
    told = how.prefix + spelt
    if how.part is not None:
        stamped = f"{how.timestamp_part}={stamp}," if how.timestamp_part else ""
        told = f"{stamped}{how.part}={told}"
    headers = {str(how.header): told}
    if how.timestamp_header is not None:
        headers[how.timestamp_header] = stamp
    return headers | ({how.id_header: push.id} if how.id_header is not None else {})


def _standard(push: Push, key: str, second: int) -> dict[str, str]:
    raw = b64decode(key[len("whsec_") :]) if key.startswith("whsec_") else key.encode()
    content = f"{push.id}.{second}.".encode() + push.body
    told = b64encode(hmac.new(raw, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": push.id,
        "webhook-timestamp": str(second),
        "webhook-signature": f"v1,{told}",
    }


def _raw(key: str, spelling: str) -> bytes:
    if spelling == "hex":
        return bytes.fromhex(key)
    return b64decode(key) if spelling == "base64" else key.encode()
