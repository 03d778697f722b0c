"""A shop's mailbox keeps what every connector promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.kinds import KINDS
from connectors.webstore.mailbox.sandbox.server import Sandbox
from core.conformance import ConnectorConformance
from tests.connectors import mailing

WORDS = "Where is my parcel, Ms Sample?"


class MailboxStage:
    """A mailbox of a shop; what goes wrong by HTTP elsewhere goes wrong by IMAP and SMTP here."""

    spec = spec

    def __init__(self):
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self.letters = []

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.shop = await self.sandbox.add_shop()
        told = {"kind": "mailbox", **self.sandbox.options(self.shop), "poll_every": "2s"}
        self.options = KINDS["mailbox"].options.model_validate(told)
        self.secrets = (told["password"], WORDS, "Ana Sample", "@buyers.example")
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    async def write(self, count=1):
        for _ in range(count):
            number = len(self.letters)
            at = self.now - timedelta(hours=1) + timedelta(seconds=number)
            way = "form" if number % 3 == 2 else "mail"
            talk = self.shop.open("Ana Sample", f"b{number}@buyers.example", "Parcel", way=way)
            self.letters.append(self.shop.buyer_writes(talk, WORDS, at))
        await self.sandbox.post.deliver()

    async def order(self, fault):
        if fault.kind == "duplicate":
            for letter in self.letters:
                self.shop.posts(letter)
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


class TestMailbox(ConnectorConformance):
    statuses = (302, 400, 401, 403, 404, 408, 425, 429, 500, 503)

    @pytest.fixture
    async def stage(self):
        async with MailboxStage() as stage:
            yield stage
