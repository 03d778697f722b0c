"""BigCommerce keeps what every connector promises, but for one thing that its API cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from connectors.webstore import spec
from connectors.webstore.bigcommerce.options import BigCommerceOptions
from connectors.webstore.bigcommerce.sandbox.server import Sandbox
from core.conformance import ConnectorConformance
from core.model import Draft
from core.stage import walk
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = "Where is my parcel, Ms Sample?"
MAIL_FAULTS = {
    401: "smtp_refuse_login",
    403: "smtp_refuse_sender",
    407: "smtp_later",
    408: "smtp_drop_after_data",
    425: "smtp_refuse_data",
    429: "smtp_limit",
}


class BigCommerceStage:
    """A store and its mail server: what goes wrong by HTTP goes wrong by SMTP as well."""

    spec = spec
    pushed = False

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.store = self.sandbox.add_store()
        self.store.habits.quota = 10**6
        told = self.sandbox.options(self.store)
        secret = self.store.client_secret
        if self.pushed:
            told["push"] = {"endpoint": "https://push.store.example/", "client_secret": secret}
        self.options = BigCommerceOptions(kind="bigcommerce", **told)
        token = told["access_token"]
        self.secrets = (token, secret, told["mail"]["password"], WORDS, "ada@buyers.example")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            order = self.store.add_order(at=at)
            self.store.customer_writes(order.id, WORDS, at=at)

    def order(self, fault):
        faults, mail = self.sandbox.faults, self.sandbox.mail.faults
        faults.error = lambda _: {"message": " ".join(self.secrets)}
        if fault.kind == "status":
            faults.order("status", status=fault.status, retry_after=fault.retry_after)
            usual = "smtp_refuse_recipient" if 400 <= fault.status < 500 else "smtp_drop_after_data"
            mail.order(MAIL_FAULTS.get(fault.status, usual))
        elif fault.kind == "slow":
            faults.order("slow", delay=1.5)
            mail.order("smtp_slow", seconds=1.5)
        elif fault.kind == "missing":
            faults.order("status", status=200)  # no list, where a bare list was due
        elif fault.kind == "unreadable":
            faults.order("missing", field="0.id", operation="orders")
        else:
            faults.order(fault.kind)
            mail.order("smtp_drop_after_data")

    def lift(self):
        self.sandbox.faults.lift()
        self.sandbox.mail.faults.lift()


class TestBigCommerce(ConnectorConformance):
    many = 60

    @pytest.fixture
    async def stage(self):
        async with BigCommerceStage() as stage:
            yield stage

    async def test_a_reply_is_sent_once_and_can_be_read(self, stage, connector, streams):
        """It leaves by mail, and BigCommerce's API shows nothing of it: one letter, no message."""
        stage.write(1)
        found = await walk(connector, streams[0], None, stage.now)
        (thread,) = found.threads.values()
        draft = Draft(id=1, account="a", thread=thread.id, body="Words", queued_at=stage.now)
        sent = await connector.reply(thread, draft, stage.now)
        after = await walk(connector, streams[0], None, stage.now)

        assert len(stage.sandbox.letters) == 1
        assert sent.message_id
        assert not [m for m in after.messages.values() if m.party is Party.SELLER]


class PushedStage(BigCommerceStage):
    """The same store with an address for pushes."""

    pushed = True


class TestBigCommerceWithPushes(TestBigCommerce):
    """What pushes add; every status of all has been tried above."""

    statuses: ClassVar[Sequence[int]] = (302, 400, 401, 403, 404, 408, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with PushedStage() as stage:
            yield stage
