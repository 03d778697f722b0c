"""Amazon keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.amazon import spec
from connectors.amazon.sandbox.server import Sandbox
from core.conformance import ConnectorConformance
from tests.connectors import mailing

WORDS = "Where is my parcel, Ms Sample?"


class AmazonStage:
    """A shop's mailbox; what goes wrong by HTTP elsewhere goes wrong by IMAP and SMTP here."""

    spec = spec

    def __init__(self):
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self.letters = []

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.seller = await self.sandbox.add_seller()
        told = self.sandbox.options(self.seller)
        self.options = spec.options.model_validate({**told, "poll_every": "2s"})
        self.secrets = (told["password"], WORDS, "Ada Sample")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    async def write(self, count=1):
        for _ in range(count):
            at = self.now - timedelta(hours=1) + timedelta(seconds=len(self.letters))
            buyer = self.seller.add_buyer("Ada Sample")
            case = self.seller.open_case(buyer, self.seller.add_order(buyer, at))
            self.letters.append(self.seller.buyer_writes(case, WORDS, at))
        await self.sandbox.post.deliver()

    async def order(self, fault):
        if fault.kind == "duplicate":
            for letter in self.letters:
                self.seller.posts(letter)
            await self.sandbox.post.deliver()
        elif fault.kind == "unreadable":
            await self._spoil(self.letters[0])
        else:
            imap, sending = mailing.faults(fault)
            self.sandbox.mail.faults.order(imap, seconds=fault.retry_after or 0)
            self.sandbox.mail.faults.order(sending, seconds=1.5)

    async def _spoil(self, letter):
        """Nothing of what lay there can be read any more."""
        (lying,) = self.sandbox.post.lying[letter.message_id]
        await self.sandbox.mail.expunge(*lying)
        await self.sandbox.mail.deliver(lying.user, b"\x00\xff\x80", letter.at)

    def lift(self):
        self.sandbox.mail.faults.lift()


class TestAmazon(ConnectorConformance):
    statuses = (302, 400, 401, 403, 404, 408, 425, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with AmazonStage() as stage:
            yield stage
