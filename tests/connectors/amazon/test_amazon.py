"""Amazon keeps what every connector promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.amazon import spec
from connectors.amazon.sandbox.server import Sandbox
from core.conformance import ConnectorConformance
from tests.connectors import mailing

WORDS = "Where is my parcel, Ms Sample?"


class AmazonStage(mailing.Stage):
    """A shop's mailbox to which Amazon writes."""

    spec = spec

    def __init__(self):
        super().__init__(Sandbox)

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.owner = await self.sandbox.add_seller()
        told = self.sandbox.options(self.owner)
        self.options = spec.options.model_validate({**told, "poll_every": "2s"})
        self.secrets = (told["password"], WORDS, "Ada Sample")
        return self

    async def write(self, count=1):
        for _ in range(count):
            at = self.now - timedelta(hours=1) + timedelta(seconds=len(self.letters))
            buyer = self.owner.add_buyer("Ada Sample")
            case = self.owner.open_case(buyer, self.owner.add_order(buyer, at))
            self.letters.append(self.owner.buyer_writes(case, WORDS, at))
        await self.sandbox.post.deliver()


class TestAmazon(ConnectorConformance):
    statuses = (302, 400, 401, 403, 404, 408, 425, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with AmazonStage() as stage:
            yield stage
