"""Read by the Trading API, eBay's connector keeps what every connector promises."""

from __future__ import annotations

import re

import pytest

from core.conformance import ConnectorConformance
from tests.connectors.ebay.test_ebay import EbayStage

HELD = re.compile(rb"<(MemberMessage|Messages)>.*</\1>", re.DOTALL)
EACH = re.compile(rb"<(MemberMessageExchange|Message)>.*?</\1>", re.DOTALL)
NUMBER = re.compile(rb"<MessageID>[^<]*</MessageID>")

SPOILED = {
    "truncated": lambda _, raw: raw[: len(raw) * 2 // 3],
    "missing": lambda _, raw: HELD.sub(b"", raw),
    "unreadable": lambda _, raw: NUMBER.sub(b"", raw, count=1),
    "duplicate": lambda _, raw: EACH.sub(lambda found: found.group() * 2, raw),
}


class TradingStage(EbayStage):
    async def __aenter__(self):
        await super().__aenter__()
        self.options = self.options.model_copy(update={"messages_by": "trading"})
        return self

    def order(self, fault):
        super().order(fault)
        if fault.kind in SPOILED:
            self.seller.exchanges.spoil = SPOILED[fault.kind]
        elif fault.kind == "status":
            how = {"status": fault.status, "retry_after": fault.retry_after}
            self.sandbox.faults.order("status", operation="trading", **how)
        else:
            how = {"delay": 1.5} if fault.kind == "slow" else {}
            self.sandbox.faults.order(fault.kind, operation="trading", **how)

    def lift(self):
        super().lift()
        self.seller.exchanges.spoil = lambda _, raw: raw


class TestByTrading(ConnectorConformance):
    many = 450

    @pytest.fixture
    async def stage(self):
        async with TradingStage() as stage:
            yield stage
