"""PrestaShop keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.prestashop.options import PrestaShopOptions
from connectors.webstore.prestashop.sandbox.server import Sandbox
from core.conformance import ConnectorConformance

WORDS = "Where is my parcel, Ms Sample?"
MAIL_FAULTS = {
    401: "smtp_refuse_login",
    403: "smtp_refuse_sender",
    407: "smtp_later",
    425: "smtp_refuse_data",
    429: "smtp_limit",
}


class PrestaShopStage:
    """A shop and its mail server: what goes wrong by HTTP goes wrong by SMTP as well."""

    spec = spec

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.shop = self.sandbox.add_shop()
        told = self.sandbox.options(self.shop)
        self.options = PrestaShopOptions(kind="prestashop", **told)
        self.secrets = (told["api_key"], told["mail"]["password"], WORDS, "ada@buyers.example")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            order = self.shop.add_order()
            self.shop.open_thread(WORDS, "ada@buyers.example", order=order, at=at)

    def order(self, fault):
        faults, mail = self.sandbox.faults, self.sandbox.mail.faults
        told = {"errors": [{"code": 999, "message": " ".join(self.secrets)}]}
        faults.error = lambda _: told
        if fault.kind == "status":
            faults.order("status", status=fault.status, retry_after=fault.retry_after)
            refused = "smtp_refuse_recipient" if 400 <= fault.status < 500 else ""
            known = MAIL_FAULTS.get(fault.status, refused)
            mail.order("smtp_drop_after_data" if fault.status == 408 else known
                       or "smtp_drop_after_data")  # fmt: skip
        elif fault.kind == "slow":
            faults.order("slow", delay=1.5)
            mail.order("smtp_slow", seconds=1.5)
        elif fault.kind == "missing":
            faults.order("status", status=200)  # the list's name is gone, and no list is empty
        elif fault.kind == "unreadable":
            field = "customer_messages.0.id"
            faults.order("missing", field=field, operation="customer_messages")
        else:
            faults.order(fault.kind)
            mail.order("smtp_drop_after_data")

    def lift(self):
        self.sandbox.faults.lift()
        self.sandbox.mail.faults.lift()


class TestPrestaShop(ConnectorConformance):
    @pytest.fixture
    async def stage(self):
        async with PrestaShopStage() as stage:
            yield stage
