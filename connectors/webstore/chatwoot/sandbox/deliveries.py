"""Pushes on their way: signed where the server signs, sent once, forgotten where nobody answers.

Chatwoot waits five seconds for an answer and does not send again. A stand-in goes nowhere but to
this machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import deque
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from uuid import UUID

from aiohttp import ClientTimeout

from connectors.webstore.chatwoot.sandbox import payload
from core.sandbox.sending import Sender

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.chatwoot.sandbox.chats import Chat, Message
    from connectors.webstore.chatwoot.sandbox.desk import Desk, Webhook

AT_ONCE = 32
"""So many pushes are under way at a time."""
RECORDED = 50_000


@dataclass(frozen=True, slots=True)
class Push:
    """One delivery to one webhook; its *id* stays the same however often it comes."""

    hook: Webhook
    event: str
    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Tried:
    """How a delivery went: *status* None where there was no answer, or none in time."""

    at: datetime
    event: str
    id: str
    status: int | None


@dataclass(slots=True)
class Deliveries:
    """Delivers while it is entered, unless it *is_held*; *tried* are the last ones."""

    desk: Desk
    is_held: bool = False
    tried: deque[Tried] = field(default_factory=lambda: deque(maxlen=RECORDED))
    base: str = ""
    _waiting: deque[Push] = field(default_factory=deque)
    _sender: Sender = field(default_factory=Sender)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._sender)
        self._stack.push_async_callback(self._stop)
        self._leave()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def waiting(self) -> int:
        """How many pushes are held back."""
        return len(self._waiting)

    def tell(self, hook: Webhook, event: str, chat: Chat, message: Message | None) -> None:
        """Tell *hook* of it, now or as soon as nothing holds it back."""
        habits = self.desk.habits
        told = payload.told(event, chat, message, habits, self.base)
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        name = str(UUID(int=self.desk.random.getrandbits(128), version=4))
        self._waiting.extend([Push(hook, event, name, body)] * habits.copies)
        self._leave()

    async def deliver(self) -> list[int | None]:
        """Let all leave that waits; how each of those that were ever tried was answered."""
        self._leave()
        while self._under_way:
            await asyncio.wait(self._under_way)
        return [one.status for one in self.tried]

    def _leave(self) -> None:
        while self._sender.is_open and not self.is_held and self._waiting:
            task = asyncio.create_task(self._deliver(self._waiting.popleft()), name="sandbox-push")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _stop(self) -> None:
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _deliver(self, push: Push) -> None:
        async with self._room:
            patience = ClientTimeout(total=self.desk.habits.waits.total_seconds())
            headers = self.headers(push)
            status = await self._sender.send(push.hook.url, push.body, headers, patience)
        self.tried.append(Tried(self.desk.now(), push.event, push.id, status))

    def headers(self, push: Push) -> dict[str, str]:
        """What goes along: signed at the second at which it leaves."""
        told = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.desk.habits.names_deliveries:
            told["X-Chatwoot-Delivery"] = push.id
        if push.hook.secret:
            second = str(int(self.desk.now().timestamp()))
            content = second.encode() + b"." + push.body
            digest = hmac.new(push.hook.secret.encode(), content, hashlib.sha256).hexdigest()
            told["X-Chatwoot-Timestamp"] = second
            told["X-Chatwoot-Signature"] = f"sha256={digest}"
        return told
