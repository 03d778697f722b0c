"""Magento keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.magento import offer
from connectors.webstore.magento.options import MagentoOptions
from connectors.webstore.magento.sandbox.server import Sandbox
from core.conformance import ConnectorConformance, Watch

WORDS = "Please ring twice, Ms Sample is deaf."


class MagentoStage:
    """A shop.

    What goes wrong spares the status that is asked for before an answer is sent: what is told of
    that stands in test_replying.py.
    """

    spec = spec

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.shop = self.sandbox.add_shop()
        told = self.sandbox.options(self.shop)
        self.options = MagentoOptions(kind="magento", **told)
        self.secrets = (told["access_token"], WORDS, "ada@buyers.example")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            self.shop.add_order(WORDS, at=at)

    def order(self, fault):
        self.sandbox.faults.error = lambda _: {"message": " ".join(self.secrets)}
        for operation in ("orders", "create_comment"):
            self._order(fault, operation)

    def _order(self, fault, operation):
        faults = self.sandbox.faults
        if fault.kind == "status":
            faults.order(
                "status", status=fault.status, retry_after=fault.retry_after, operation=operation
            )
        elif fault.kind == "slow":
            faults.order("slow", delay=1.5, operation=operation)
        elif fault.kind == "missing":
            faults.order("missing", field="items", operation=operation)
        elif fault.kind == "unreadable":
            faults.order("missing", field="items.0.entity_id", operation="orders", count=1)
        else:
            faults.order(fault.kind, operation=operation)

    def lift(self):
        self.sandbox.faults.lift()


class Sending(Watch):
    """Sees what is read and sent: the status that is asked for before an answer is neither."""

    def requested(self, operation, code, seconds):
        if operation != offer.READ_STATUS:
            super().requested(operation, code, seconds)


class TestMagento(ConnectorConformance):
    @pytest.fixture
    def watch(self):
        return Sending()

    @pytest.fixture
    async def stage(self):
        async with MagentoStage() as stage:
            yield stage
