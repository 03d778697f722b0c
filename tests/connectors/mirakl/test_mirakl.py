"""Mirakl keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.mirakl import spec
from connectors.mirakl.sandbox.server import Sandbox
from core.conformance import ConnectorConformance

WORDS = "Where is my parcel, Ms Sample?"


class MiraklStage:
    """A shop with a `shop_id`, whose key opens another shop as well and by default."""

    spec = spec

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        operator = self.sandbox.add_operator("op")
        operator.add_shop(1000)
        self.shop = operator.add_shop(2000)
        self.shop.key = operator.add_key((1000, 2000))
        self.options = spec.options(
            base_url=self.sandbox.base_url("op"), api_key=self.shop.key, shop_id=2000
        )
        self.secrets = (self.shop.key, WORDS, "Ada Sample")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            order = self.shop.add_order(f"{self._written}-A", at=at)
            self.shop.open_thread(WORDS, order=order, at=at)

    def order(self, fault):
        faults = self.sandbox.faults
        faults.error = lambda status: {"message": " ".join(self.secrets), "status": status}
        if fault.kind == "status":
            faults.order("status", status=fault.status, retry_after=fault.retry_after)
        elif fault.kind == "slow":
            faults.order("slow", delay=1.5)
        elif fault.kind == "missing":
            faults.order("missing", field="data", operation="M11")
            faults.order("missing", field="orders", operation="OR11")
        elif fault.kind == "unreadable":
            faults.order("missing", field="data.0.id", operation="M11")
        else:
            faults.order(fault.kind)

    def lift(self):
        self.sandbox.faults.lift()


class TestMirakl(ConnectorConformance):
    @pytest.fixture
    async def stage(self):
        async with MiraklStage() as stage:
            yield stage
