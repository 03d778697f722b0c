"""A shop's mailbox keeps what every connector promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.kinds import KINDS
from connectors.webstore.mailbox.sandbox.server import Sandbox
from core.conformance import ConnectorConformance
from tests.connectors import mailing

WORDS = "Where is my parcel, Ms Sample?"


class MailboxStage(mailing.Stage):
    """A mailbox of a shop, to which buyers write letters and forms."""

    spec = spec

    def __init__(self):
        super().__init__(Sandbox)

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.owner = await self.sandbox.add_shop()
        told = {"kind": "mailbox", **self.sandbox.options(self.owner), "poll_every": "2s"}
        self.options = KINDS["mailbox"].options.model_validate(told)
        self.secrets = (told["password"], WORDS, "Ana Sample", "@buyers.example")
        return self

    async def write(self, count=1):
        for _ in range(count):
            number = len(self.letters)
            at = self.now - timedelta(hours=1) + timedelta(seconds=number)
            way = "form" if number % 3 == 2 else "mail"
            talk = self.owner.open("Ana Sample", f"b{number}@buyers.example", "Parcel", way=way)
            self.letters.append(self.owner.buyer_writes(talk, WORDS, at))
        await self.sandbox.post.deliver()


class TestMailbox(ConnectorConformance):
    statuses = (302, 400, 401, 403, 404, 408, 425, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with MailboxStage() as stage:
            yield stage
