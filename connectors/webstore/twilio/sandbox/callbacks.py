"""Pushes on their way: signed, once; one that is lost is lost."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import ClientTimeout

from core.sandbox.sending import Sender, is_near

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

    from connectors.webstore.twilio.sandbox.desk import Account

KEPT = 2000
PATIENCE = ClientTimeout(total=15)
"""So long Twilio waits for an answer."""


@dataclass(frozen=True, slots=True)
class Push:
    """A request on its way: *url* as it is registered, whose sign goes over it."""

    url: str
    token: str
    fields: dict[str, str]

    @property
    def body(self) -> bytes:
        return urlencode(self.fields).encode()

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": sign(self.token, self.url, self.fields),
        }


@dataclass(frozen=True, slots=True)
class Tried:
    """How a push was answered; None: nobody did."""

    at: datetime
    sid: str
    status: int | None


class Callbacks:
    """Sends what is told, in order. *lost*: so many of the next get lost; *is_held*: they wait."""

    def __init__(self) -> None:
        self.tried: deque[Tried] = deque(maxlen=KEPT)
        self.made: deque[Push] = deque(maxlen=KEPT)
        self.lost = 0
        self.is_held = False
        self._waiting: deque[tuple[datetime, Push]] = deque()
        self._sender = Sender()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._sender.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._sender.__aexit__()

    def tell(self, account: Account, url: str | None, fields: dict[str, str]) -> None:
        """Push *fields*, as soon as may be; one beyond this machine is told nothing."""
        if not url:
            return
        push = Push(url, account.token, fields)
        self.made.append(push)
        if self.lost:
            self.lost -= 1
            return
        if is_near(url):
            self._waiting.append((account.desk.now(), push))
            self.release()

    def release(self) -> None:
        """Let leave what waits, unless it is held."""
        is_idle = self._task is None or self._task.done()
        if is_idle and self._sender.is_open and self._waiting and not self.is_held:
            self._task = asyncio.create_task(self._leave(), name="sandbox-push")

    async def settled(self) -> list[int | None]:
        """Wait for those on their way; how each was answered."""
        self.release()
        if self._task is not None:
            await asyncio.wait([self._task])
        return [one.status for one in self.tried]

    async def _leave(self) -> None:
        while self._waiting and not self.is_held:
            at, push = self._waiting.popleft()
            named = push.fields.get("MessageSid") or push.fields.get("CallSid") or ""
            status = await self._sender.send(push.url, push.body, push.headers, PATIENCE)
            self.tried.append(Tried(at, named, status))


def sign(token: str, url: str, fields: dict[str, str]) -> str:
    """As Twilio documents it: HMAC-SHA1 over the address and the sorted fields, in base64."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return b64encode(hmac.new(token.encode(), text.encode(), "sha1").digest()).decode()
