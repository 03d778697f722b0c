"""eBay's connector keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from connectors.ebay import spec
from connectors.ebay.sandbox.server import Sandbox
from core.conformance import ConnectorConformance

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = "Where is my parcel, Ms Sample?"
MISSING = {
    "getConversations": "conversations", "searchInquiries": "members",
    "searchReturns": "members", "searchCancellations": "cancellations",
    "searchCases": "members", "getPaymentDisputeSummaries": "paymentDisputeSummaries",
}  # fmt: skip


class EbayStage:
    """A seller whose token is fresh: the token endpoint has its own tests, and good days here."""

    spec = spec

    more: ClassVar[dict[str, object]] = {}

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.seller = self.sandbox.market.add_seller("shop-b")
        told = self.sandbox.options(self.seller)
        self.options = spec.options.model_validate({**told, **self.more})
        self.secrets = (told["client_secret"], told["refresh_token"], WORDS, "Ada-Sample", "v^1.1")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        buyer = self.sandbox.market.add_member(f"Ada-Sample-{self._written}")
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            self.seller.asked(buyer, WORDS, at=at)

    def order(self, fault):
        faults = self.sandbox.faults
        faults.error = lambda _: {"errors": [{"errorId": 2003, "message": " ".join(self.secrets)}]}
        but_tokens = "[!t]*"
        if fault.kind == "status":
            faults.order(
                "status", operation=but_tokens, status=fault.status, retry_after=fault.retry_after
            )
        elif fault.kind == "slow":
            faults.order("slow", operation=but_tokens, delay=1.5)
        elif fault.kind == "missing":
            self._open_dossiers()  # a search that counts nothing may leave its page out
            for operation, field in MISSING.items():
                faults.order("missing", operation=operation, field=field)
        elif fault.kind == "unreadable":
            faults.order(
                "missing", operation="getConversations", field="conversations.0.conversationId"
            )
        else:
            faults.order(fault.kind, operation=but_tokens)

    def _open_dossiers(self):
        desk = self.seller.desk
        for open_ in (
            desk.open_inquiry, desk.open_return, desk.open_cancellation, desk.open_case,
            desk.open_dispute,
        ):  # fmt: skip
            open_(at=self.now - timedelta(hours=1))

    def lift(self):
        self.sandbox.faults.lift()


class TestEbay(ConnectorConformance):
    @pytest.fixture
    async def stage(self):
        async with EbayStage() as stage:
            yield stage


class PushedStage(EbayStage):
    """The same seller with an address for pushes."""

    more: ClassVar[dict[str, object]] = {
        "push": {
            "endpoint": "https://shop.example/push/ebay/shop",
            "verification_token": "a-verification-token-of-thirty-two-signs",
        }
    }


class TestEbayWithPushes(ConnectorConformance):
    """What pushes add; every status of all has been tried above."""

    statuses: ClassVar[Sequence[int]] = (302, 400, 401, 403, 404, 408, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with PushedStage() as stage:
            yield stage
