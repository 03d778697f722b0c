"""How a stand-in sends a push: to this machine alone, and to nobody who is not there."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, TCPConnector

from core.loops import started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from aiohttp import ClientTimeout

TICK = 0.2
"""Seconds between two rounds."""


class Sender:
    """Sends while it is entered, as many at a time as are given to it."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = ClientSession(connector=TCPConnector(limit=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @property
    def is_open(self) -> bool:
        """Whether it is entered."""
        return self._session is not None

    async def send(
        self, url: str, body: bytes, headers: Mapping[str, str], patience: ClientTimeout
    ) -> int | None:
        """The status of the answer; None where none came within *patience*.

        Neither does one from beyond this machine: nothing goes there.
        """
        if self._session is None or not is_near(url):
            return None
        await started()
        try:
            async with self._session.post(
                url, data=body, headers=headers, timeout=patience, allow_redirects=False
            ) as answer:
                await answer.read()
                return answer.status
        except (ClientError, TimeoutError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class Tried:
    """How a delivery went: *status* None where there was no answer; *topic* where it has one."""

    at: datetime
    id: str
    status: int | None
    topic: str = ""


@dataclass(slots=True, kw_only=True)
class Delivering(ABC):
    """Delivers pushes while it is entered, unless it *is_held*."""

    is_held: bool = False
    _sender: Sender = field(default_factory=Sender)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._sender)
        await self._stack.enter_async_context(self._leaving())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @abstractmethod
    def _leaving(self) -> AbstractAsyncContextManager[None]:
        """Lets leave what is due, each in its time, while it is entered."""


def is_near(url: str) -> bool:
    """Whether *url* is on this machine: a stand-in goes nowhere else."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def rounds(deliver: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Let *deliver* come round again and again, until left."""
    running = asyncio.create_task(_come_round(deliver), name="sandbox-push")
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def _come_round(deliver: Callable[[], Awaitable[object]]) -> None:
    while True:
        await deliver()
        await asyncio.sleep(TICK)
