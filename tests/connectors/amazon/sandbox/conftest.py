"""A stand-in with one seller, a clock that stands until it is moved, and readers of his mailbox."""

from __future__ import annotations

import asyncio
import imaplib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from connectors.amazon import mapping, trust
from connectors.amazon.identity import Memory
from connectors.amazon.letter import Arrival
from connectors.amazon.options import AmazonOptions
from connectors.amazon.sandbox import composing
from connectors.amazon.sandbox.server import Sandbox
from core.transport import mime, outgoing
from core.transport.login import Login
from core.transport.mailbox import Limits, Mailboxes
from core.transport.mime import Address
from core.transport.outgoing import Outgoing
from core.transport.smtp import Smtp
from tests.connectors.standing import Clock

NOON = datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC)
SINCE = NOON - timedelta(days=30)


class Found(NamedTuple):
    """A letter as a client reads it."""

    folder: str
    arrived_at: datetime
    raw: bytes
    mail: mime.Mail


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
async def seller(sandbox):
    return await sandbox.add_seller()


@pytest.fixture
def buyer(seller):
    return seller.add_buyer("Ada Sample", "de")


@pytest.fixture
def case(seller, buyer, clock):
    """A case that carries its uuid in the alias, in which the buyer waits."""
    order = seller.add_order(buyer, clock.now - timedelta(days=4))
    case = seller.open_case(buyer, order, "sender")
    seller.buyer_writes(case, "Wo bleibt mein Paket?\nIch warte seit Montag.")
    return case


@pytest.fixture
def login(sandbox, seller):
    """How to reach a seller's mailbox: ``login("imap")``, ``login("smtp", other)``."""

    def login(which, of=None):
        told = sandbox.options(of or seller)
        return Login(user=told["user"], password=told["password"], **told[which])

    return login


@pytest.fixture
async def mailboxes():
    async with Mailboxes(Limits(command=20, answer=20, opening=20)) as opened:
        yield opened


@pytest.fixture
def letters(sandbox, seller, mailboxes, login):
    """All that lies in a folder, read by our own client once what is due has arrived."""

    async def letters(folder="INBOX", of=None):
        await sandbox.post.deliver()
        mailbox, position, found = mailboxes.open(login("imap", of)), None, []
        while True:
            page = await mailbox.read(folder, position, SINCE, 100)
            found += [Found(folder, one.arrived_at, one.raw, mime.read(one.raw))
                      for one in page.letters]  # fmt: skip
            position = page.position
            if not page.more:
                await mailbox.close()
                return found

    return letters


@pytest.fixture
def pieces(sandbox, seller, clock, letters):
    """What the connector's pure half makes of the mailbox."""

    async def pieces(of=None, folders=("INBOX", "Junk", "Sent")):
        told = account(sandbox, of or seller)
        found = [one for folder in folders for one in await letters(folder, of)]
        arrivals = [
            Arrival(one.mail, one.arrived_at, trust.of(one.mail, told.authserv_ids),
                    is_sent=one.folder == "Sent")
            for one in sorted(found, key=lambda one: one.arrived_at)
        ]  # fmt: skip
        return mapping.pieces(arrivals, told, Memory(), clock.now)

    return pieces


@pytest.fixture
def answer(sandbox, seller, clock, login):
    """Answer by our own client: returns the Message-ID, raises what the client raises."""
    count = iter(range(1000))

    async def answer(to, text="Guten Tag, Ihr Paket kommt am Montag an.", *, sender=None, of=None,
                     subject="Re: Frage", envelope=None, message_id=None, **more):  # fmt: skip
        own = sender or (of or seller).sender
        letter = Outgoing(
            message_id=message_id or f"reply-{next(count)}@shop.example",
            sender=Address("Shop", own), recipient=Address("", to), subject=subject, text=text,
            at=clock.now, **more,
        )  # fmt: skip
        raw = outgoing.composed(letter)
        await Smtp().send(login("smtp", of), envelope or own, to, raw)
        return letter.message_id

    return answer


def account(sandbox, seller, **more):
    return AmazonOptions.model_validate({**sandbox.options(seller), **more})


def understood(letter, seller, *, at=None, checks="all", is_sent=False, memory=None):
    """What the connector's pure half makes of one letter as it would lie in the mailbox."""
    arrived_at = at or letter.at
    seller.mailbox.checks = checks
    raw = letter.raw if is_sent else composing.arrived(letter, seller.mailbox, arrived_at)
    mail, told = mime.read(raw), OPTIONS.model_copy(
        update={"marketplaces": (seller.author.place.id,), "sender": seller.sender}
    )  # fmt: skip
    arrival = Arrival(mail, arrived_at, trust.of(mail, told.authserv_ids), is_sent=is_sent)
    return mapping.pieces([arrival], told, memory or Memory(), NOON + timedelta(days=1))


OPTIONS = AmazonOptions.model_validate(
    {
        "user": "x", "password": "x", "sender": "support@shop.example",
        "imap": {"host": "127.0.0.1", "port": 1}, "smtp": {"host": "127.0.0.1", "port": 1},
        "marketplaces": ["A1PA6795UKMFR9"], "authserv_ids": ["mx.sandbox.example"],
    }
)  # fmt: skip


@pytest.fixture
def imap(sandbox, seller):
    """Run *doing* with a plain IMAP client that has looked into the inbox, off the loop."""

    async def imap(doing, folder="INBOX"):
        told = sandbox.options(seller)

        def run():
            with imaplib.IMAP4("127.0.0.1", sandbox.mail.imap_port) as client:
                client.login(told["user"], told["password"])
                client.select(folder, readonly=True)
                return doing(client)

        return await asyncio.to_thread(run)

    return imap
