"""Shopify keeps what every connector promises, but for one thing that its API cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from connectors.webstore import spec
from connectors.webstore.shopify.options import ShopifyOptions
from connectors.webstore.shopify.sandbox.server import Sandbox
from core.conformance import ConnectorConformance
from core.model import Draft
from core.stage import walk
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = "Please leave it with Ms Sample next door"
MAIL_FAULTS = {
    401: "smtp_refuse_login",
    403: "smtp_refuse_sender",
    407: "smtp_later",
    408: "smtp_drop_after_data",
    425: "smtp_refuse_data",
    429: "smtp_limit",
}


class ShopifyStage:
    """A store and its mail server: what goes wrong by HTTP goes wrong by SMTP as well."""

    spec = spec
    pushed = by_token = False

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.shop = self.sandbox.add_shop()
        self.shop.habits.points = 10**9
        told = self.sandbox.options(self.shop)
        token, secret = told["access_token"], self.shop.client_secret
        if self.pushed:
            told["push"] = {"endpoint": "https://push.store.example/"}
        if self.by_token:
            told = {**told, "access_token": None, "client_id": self.shop.client_id}
        self.options = ShopifyOptions(kind="shopify", **told)
        self.secrets = (token, secret, told["mail"]["password"], WORDS, "ada@buyers.example")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(minutes=10) + timedelta(seconds=self._written)
            self.shop.buys(WORDS, at=at)

    def order(self, fault):
        faults, mail = self.sandbox.faults, self.sandbox.mail.faults
        faults.error = lambda _: {"errors": " ".join(self.secrets)}
        told = {"operation": "graphql"}
        if fault.kind == "status":
            how = {"status": fault.status, "retry_after": fault.retry_after}
            faults.order("status", **told, **how)
            usual = "smtp_refuse_recipient" if 400 <= fault.status < 500 else "smtp_drop_after_data"
            mail.order(MAIL_FAULTS.get(fault.status, usual))
        elif fault.kind == "slow":
            faults.order("slow", **told, delay=1.5)
            mail.order("smtp_slow", seconds=1.5)
        elif fault.kind == "missing":
            faults.order("missing", **told, field="data")
        elif fault.kind == "unreadable":
            faults.order("missing", **told, field="data.orders.nodes.0.id")
        elif fault.kind == "duplicate":
            self.shop.habits.repeats = True
        else:
            faults.order(fault.kind, **told)
            mail.order("smtp_drop_after_data")

    def lift(self):
        self.sandbox.faults.lift()
        self.sandbox.mail.faults.lift()
        self.shop.habits.repeats = False


class TestShopify(ConnectorConformance):
    @pytest.fixture
    async def stage(self):
        async with ShopifyStage() as stage:
            yield stage

    async def test_a_reply_is_sent_once_and_can_be_read(self, stage, connector, streams):
        """It leaves by mail, and Shopify's API shows nothing of it: one letter, no message."""
        stage.write(1)
        found = await walk(connector, streams[0], None, stage.now)
        (thread,) = found.threads.values()
        draft = Draft(id=1, account="a", thread=thread.id, body="Words", queued_at=stage.now)
        sent = await connector.reply(thread, draft, stage.now)
        after = await walk(connector, streams[0], None, stage.now)

        assert len(stage.sandbox.letters) == 1
        assert sent.message_id
        assert not [m for m in after.messages.values() if m.party is Party.SELLER]


class PushedStage(ShopifyStage):
    """The same store with an address for pushes, entered by a token of the day."""

    pushed = by_token = True


class TestShopifyWithPushes(TestShopify):
    """What pushes add; every status of all has been tried above."""

    statuses: ClassVar[Sequence[int]] = (302, 400, 401, 403, 404, 408, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with PushedStage() as stage:
            yield stage
