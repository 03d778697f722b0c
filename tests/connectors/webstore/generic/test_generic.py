"""A store of whatever shape keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from connectors.webstore import spec
from connectors.webstore.generic.options import GenericOptions
from connectors.webstore.generic.sandbox.server import Sandbox
from core.conformance import ConnectorConformance
from core.model import Draft
from core.stage import walk
from sla.policy import Party
from tests.connectors.webstore.generic.shapes import FLAT, KEY, NUMBERED, SECRET, WHOLE

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


class ShapeStage:
    """A shop of one shape; *lacking* and *unread* are where its list and an id stand."""

    spec = spec

    def __init__(self, shape, lacking, unread):
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._shape, self._lacking, self._unread = shape, lacking, unread
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.shop = self.sandbox.add_shop(GenericOptions(**self._shape))
        self.options = GenericOptions(**{**self._shape, **self.sandbox.options(self.shop)})
        secret = self.options.webhook.secret.get_secret_value()
        self.secrets = (KEY, SECRET, secret, WORDS, "ada@buyers.example")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            self.shop.asks(WORDS, at=at)

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
            self._miss()
        elif fault.kind == "unreadable":
            faults.order("missing", field=self._unread, operation="messages")
        elif fault.kind == "duplicate":
            self.shop.habits.repeats = self.shop.habits.shuffles = True
        else:
            faults.order(fault.kind)
            mail.order("smtp_drop_after_data")

    def _miss(self):
        if self._lacking is None:
            self.sandbox.faults.order("status", status=200)  # no list, where a bare list was due
        else:
            self.sandbox.faults.order("missing", field=self._lacking, operation="messages")

    def lift(self):
        self.sandbox.faults.lift()
        self.sandbox.mail.faults.lift()
        self.shop.habits.repeats = self.shop.habits.shuffles = False


class TestFlat(ConnectorConformance):
    """Cursor, milliseconds, base64 over the body."""

    @pytest.fixture
    async def stage(self):
        async with ShapeStage(FLAT, "data.items", "data.items.0.uuid") as stage:
            yield stage


class TestWhole(ConnectorConformance):
    """Link headers, a wall clock with its zone, hex over time and body."""

    many = 120
    statuses: ClassVar[Sequence[int]] = (302, 400, 401, 403, 404, 407, 408, 425, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with ShapeStage(WHOLE, None, "0.posts.0.post_id") as stage:
            yield stage


class TestNumbered(ConnectorConformance):
    """Pages by number, ISO times; answers go by mail, which the store does not show."""

    many = 120
    statuses: ClassVar[Sequence[int]] = (302, 400, 401, 403, 404, 407, 408, 425, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with ShapeStage(NUMBERED, "rows", "rows.0.id") as stage:
            yield stage

    async def test_a_reply_is_sent_once_and_can_be_read(self, stage, connector, streams):
        """It leaves by mail, and the store shows nothing of it: one letter, no message."""
        stage.write(1)
        found = await walk(connector, streams[0], None, stage.now)
        (thread,) = found.threads.values()
        draft = Draft(id=1, account="a", thread=thread.id, body="Words", queued_at=stage.now)
        sent = await connector.reply(thread, draft, stage.now)
        after = await walk(connector, streams[0], None, stage.now)

        assert len(stage.sandbox.mail.taken) == 1
        assert sent.message_id
        assert not [m for m in after.messages.values() if m.party is Party.SELLER]
