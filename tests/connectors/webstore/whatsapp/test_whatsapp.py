"""WhatsApp keeps what every connector promises, though nothing of it can be read by asking."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.meta.sandbox.server import Sandbox
from connectors.webstore.whatsapp.options import WhatsappOptions
from core.conformance import ConnectorConformance
from core.connector import Acts, Enriches, Looks, MarksRead, Receives, Replies, Waits
from core.model import Draft
from core.pushes import Receipt
from core.stage import walk
from sla.clock import Delivery
from tests.connectors.webstore.meta import endpoints
from tests.connectors.webstore.pushing import Pushed

WORDS = "Where is my parcel, Ms Sample?"


class WhatsappStage:
    """A number whose pushes are kept as they came; *requests* are what core would be given."""

    spec = spec

    def __init__(self):
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self.came, self._written, self._unreadable = [], 0, False
        self._stack = AsyncExitStack()

    async def __aenter__(self):
        await self._stack.enter_async_context(self.sandbox)
        self.endpoint = await self._stack.enter_async_context(endpoints.served(lambda: self.now))
        self.endpoint.receiver = self
        self.line = self.sandbox.graph.add_line("whatsapp")
        self.sandbox.subscribe(self.line, self.endpoint.url)
        told = {**self.sandbox.options(self.line), "endpoint": self.endpoint.url}
        self.options = WhatsappOptions(kind="whatsapp", **told)
        self.secrets = (
            told["access_token"], told["app_secret"], told["verify_token"], WORDS, "Ada Sample",
        )  # fmt: skip
        return self

    async def __aexit__(self, *fault):
        await self._stack.aclose()

    async def receive(self, request, _):
        self.came.append(replace(request, accounts={"shop": self.options}))
        return Receipt(200)

    @property
    def requests(self):
        return [self._spoiled(self.came[0]), *self.came[1:]] if self._unreadable else self.came

    def _spoiled(self, request):
        content = json.loads(request.body)
        del content["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
        body = endpoints.written(content)
        headers = endpoints.signed(self.line.app.secret, body)
        return replace(request, body=body, headers=headers)

    async def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            person = self.sandbox.graph.add_person(self.line, "Ada Sample")
            self.sandbox.graph.says(self.line, person, WORDS, at=at)
        await self.sandbox.pushes.deliver()

    async def order(self, fault):
        faults = self.sandbox.faults
        error = {"message": " ".join(self.secrets), "type": "OAuthException", "code": 1}
        faults.error = lambda _: {"error": error}
        if fault.kind == "status":
            faults.order("status", status=fault.status, retry_after=fault.retry_after)
        elif fault.kind == "slow":
            faults.order("slow", delay=1.5)
        elif fault.kind == "missing":
            faults.order("missing", operation="node", field="id")
        elif fault.kind == "unreadable":
            self._unreadable = True
        elif fault.kind == "duplicate":
            self.came = [request for request in self.came for _ in range(2)]
        else:
            faults.order(fault.kind)

    def lift(self):
        self.sandbox.faults.lift()
        self._unreadable = False


class TestWhatsapp(ConnectorConformance):
    """Its one stream carries no clocks: messages come beside it (see `Pushed`)."""

    @pytest.fixture
    async def stage(self):
        async with WhatsappStage() as stage:
            yield stage

    @pytest.fixture
    def connector(self, stage, transport):
        return Pushed(spec.open(stage.options, transport), stage)

    @pytest.fixture
    def hasty(self, stage, in_haste):
        return Pushed(spec.open(stage.options, in_haste), stage)

    @pytest.fixture
    def streams(self):
        return ["number"]

    async def test_it_can_what_it_says_and_says_what_it_can(self, stage, transport):
        connector, can = spec.open(stage.options, transport), spec.can(stage.options)
        said = (can.replies, can.looks, can.receives, can.waits, can.enriches, can.acts,
                can.marks_read)  # fmt: skip
        protocols = (Replies, Looks, Receives, Waits, Enriches, Acts, MarksRead)
        assert said == tuple(isinstance(connector, one) for one in protocols)

    async def test_streams_have_names_of_their_own_and_keep_the_limits(self, stage):
        (stream,) = spec.streams(stage.options)
        assert (stream.name, stream.carries_clocks, stream.pushed) == ("number", False, False)
        assert timedelta(0) < stream.floor <= stream.every

    async def test_the_cursor_comes_with_the_last_page_only(self, stage, connector):
        await stage.write(self.many)
        found = await walk(connector, "number", None, stage.now)
        assert [page.cursor for page in found.pages[:-1] if page.cursor] == []
        assert found.cursor

    async def test_a_reply_is_sent_once_and_can_be_read(self, stage, connector):
        """It cannot be: its statuses prove it, by the id that was told when it left."""
        await stage.write(1)
        (thread,) = (await walk(connector, "number", None, stage.now)).threads.values()
        draft = Draft(id=1, account="shop", thread=thread.id, body="Hello", queued_at=stage.now)
        sent = await connector.reply(thread, draft, stage.now)
        stage.now += timedelta(minutes=1)
        await stage.sandbox.pushes.deliver()

        found = await walk(connector, "number", "1", stage.now)
        verdicts = [one for page in found.pages for one in page.verdicts]
        assert {one.delivery for one in verdicts} == {Delivery.CONFIRMED}
        assert sent.message_id in {one.message_id for one in verdicts}
        assert len(stage.sandbox.calls("send_message")) == 1
        assert found.messages == {}
