"""A number at Twilio keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from connectors.webstore import spec
from connectors.webstore.twilio.options import TwilioOptions
from connectors.webstore.twilio.sandbox import messaging
from connectors.webstore.twilio.sandbox.server import Sandbox
from core.conformance import ConnectorConformance

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = "Where is my parcel, Ms Sample?"
LISTS = ("messages", "calls")


class TwilioStage:
    """A number of its own; another one of the same account is not read."""

    spec = spec
    ours: ClassVar[str] = "+48221230001"
    theirs: ClassVar[str] = "+48600"
    more: ClassVar[dict[str, object]] = {}

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.account = self.sandbox.desk.add_account()
        self.number = self.account.add_number(self.ours)
        other = self.account.add_number("+48221230002")
        messaging.buyer_writes(self.account, other, "+48700100100", "Of another number")
        told = self.sandbox.options(self.account, self.number)
        self.options = TwilioOptions(kind="twilio", **{**told, **self.more})
        self.secrets = (told["auth_token"], WORDS, "+48600100001")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            theirs = f"{self.theirs}{100000 + self._written}"
            messaging.buyer_writes(self.account, self.number, theirs, WORDS, at=at)

    def order(self, fault):
        faults = self.sandbox.faults
        faults.error = lambda _: {"code": 20001, "message": " ".join(self.secrets)}
        if fault.kind == "status":
            faults.order("status", status=fault.status, retry_after=fault.retry_after)
        elif fault.kind == "slow":
            faults.order("slow", delay=1.5)
        elif fault.kind == "missing":
            for one in LISTS:
                faults.order("missing", field=one, operation=one)
        elif fault.kind == "unreadable":
            faults.order("missing", field="messages.0.sid", operation="messages")
        else:
            faults.order(fault.kind)

    def lift(self):
        self.sandbox.faults.lift()


class TestTwilio(ConnectorConformance):
    @pytest.fixture
    async def stage(self):
        async with TwilioStage() as stage:
            yield stage


class WhatsAppStage(TwilioStage):
    """A sender of WhatsApp with an address for pushes."""

    ours: ClassVar[str] = "whatsapp:+48221230001"
    theirs: ClassVar[str] = "whatsapp:+48600"
    more: ClassVar[dict[str, object]] = {
        "endpoint": "https://push.shop.example/push/webstore/whatsapp"
    }


class TestWhatsAppByTwilioWithPushes(ConnectorConformance):
    """What WhatsApp and pushes add; every status of all has been tried above."""

    statuses: ClassVar[Sequence[int]] = (302, 400, 401, 403, 404, 408, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with WhatsAppStage() as stage:
            yield stage
