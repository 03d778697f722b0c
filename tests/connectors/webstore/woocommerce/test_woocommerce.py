"""WooCommerce keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from connectors.webstore import spec
from connectors.webstore.woocommerce.options import WooCommerceOptions
from connectors.webstore.woocommerce.sandbox.server import Sandbox
from core.conformance import ConnectorConformance

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = "Please ring twice, Ms Sample is deaf."


class WooCommerceStage:
    """A shop, with pushes or without."""

    spec = spec
    permalinks = True
    push: ClassVar[dict[str, dict[str, str]]] = {}

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.shop = self.sandbox.add_shop()
        self.shop.habits.permalinks = self.permalinks
        told = self.sandbox.options(self.shop)
        self.options = WooCommerceOptions(kind="woocommerce", **told, **self.push)
        keys = (told["consumer_key"], told["consumer_secret"])
        secrets = [one["secret"] for one in self.push.values()]
        self.secrets = (*keys, *secrets, WORDS, "ada@buyers.example")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            self.shop.add_order(WORDS, at=at)

    def order(self, fault):
        faults = self.sandbox.faults
        faults.error = lambda _: {"code": "fault", "message": " ".join(self.secrets)}
        if fault.kind == "status":
            faults.order("status", status=fault.status, retry_after=fault.retry_after)
        elif fault.kind == "slow":
            faults.order("slow", delay=1.5)
        elif fault.kind == "missing":
            faults.order("status", status=200)  # no list, where a bare list was due
        elif fault.kind == "unreadable":
            operation = "orders" if self.permalinks else "plain"
            faults.order("missing", field="0.id", operation=operation, count=1)
        else:
            faults.order(fault.kind)

    def lift(self):
        self.sandbox.faults.lift()


class TestWooCommerce(ConnectorConformance):
    many = 120

    @pytest.fixture
    async def stage(self):
        async with WooCommerceStage() as stage:
            yield stage


class PushedStage(WooCommerceStage):
    """The same shop with an address for pushes."""

    push: ClassVar = {"push": {"endpoint": "https://push.shop.example/", "secret": "s3cr3t"}}


class TestWooCommerceWithPushes(ConnectorConformance):
    """What pushes add; every status of all has been tried above."""

    many = 120
    statuses: ClassVar[Sequence[int]] = (302, 400, 401, 403, 404, 408, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with PushedStage() as stage:
            yield stage


class PlainStage(WooCommerceStage):
    """A shop whose API stands behind its front page."""

    permalinks = False


class TestWooCommerceWithPlainPermalinks(ConnectorConformance):
    """What another address changes."""

    many = 120
    statuses: ClassVar[Sequence[int]] = (302, 400, 401, 403, 404, 408, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with PlainStage() as stage:
            yield stage
