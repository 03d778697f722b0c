"""Chatwoot keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from connectors.webstore import spec
from connectors.webstore.chatwoot.options import ChatwootOptions
from connectors.webstore.chatwoot.sandbox.server import Sandbox
from core.conformance import ConnectorConformance

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = "Where is my parcel, Ms Sample?"


class ChatwootStage:
    """An inbox of its own; another inbox of the same account is not read."""

    spec = spec

    more: ClassVar[dict[str, object]] = {}

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.account = self.sandbox.desk.add_account()
        self.inbox, other = self.account.add_inbox(), self.account.add_inbox()
        self.account.open_chat("Of another inbox", inbox=other)
        told = self.sandbox.options(self.inbox)
        self.options = ChatwootOptions(kind="chatwoot", **{**told, **self.more})
        self.secrets = (told["api_token"], WORDS, "Ada Sample", "a-webhook-secret")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            self.account.open_chat(WORDS, inbox=self.inbox, at=at)

    def order(self, fault):
        faults = self.sandbox.faults
        faults.error = lambda _: {"error": " ".join(self.secrets)}
        if fault.kind == "status":
            faults.order("status", status=fault.status, retry_after=fault.retry_after)
        elif fault.kind == "slow":
            faults.order("slow", delay=1.5)
        elif fault.kind == "missing":
            faults.order("missing", field="data.payload", operation="conversations")
        elif fault.kind == "unreadable":
            faults.order("missing", field="data.payload.0.id", operation="conversations")
        elif fault.kind == "duplicate":
            self.sandbox.desk.habits.listed = 2
            faults.order("duplicate")
        else:
            faults.order(fault.kind)

    def lift(self):
        self.sandbox.faults.lift()


class TestChatwoot(ConnectorConformance):
    many = 60

    @pytest.fixture
    async def stage(self):
        async with ChatwootStage() as stage:
            yield stage


class PushedStage(ChatwootStage):
    """The same inbox with an address for pushes."""

    more: ClassVar[dict[str, object]] = {
        "push": {
            "endpoint": "https://push.shop.example/push/webstore/chat",
            "secret": "a-webhook-secret",
        }
    }


class TestChatwootWithPushes(ConnectorConformance):
    """What pushes add; every status of all has been tried above."""

    many = 60
    statuses: ClassVar[Sequence[int]] = (302, 400, 401, 403, 404, 408, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with PushedStage() as stage:
            yield stage
