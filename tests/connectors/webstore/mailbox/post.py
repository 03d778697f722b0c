"""A mail server on loopback with a shop's mailbox, and connectors that read it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta

from connectors.webstore import spec
from connectors.webstore.mailbox.options import MailboxOptions
from core.connector import Transport
from core.sandbox import mail
from core.stage import Watch
from core.transport import mailbox, smtp
from core.transport.http import Http, open_session
from core.transport.login import Login
from tests.connectors.webstore.mailbox import letters
from tests.connectors.webstore.mailbox.letters import NOON, SUPPORT

PASSWORD = "p4ss-word of the shop"

QUICK = mailbox.Limits(connect=5, answer=5, command=5, opening=5, courtesy=2)
HASTY = mailbox.Limits(connect=0.5, answer=0.5, command=0.5, opening=0.5, courtesy=0.5)
QUICK_SMTP = smtp.Limits(connect=5, command=5, before=5, letter=5)


class Shop:
    """A mailbox on a mail server, and connectors that read it."""

    def __init__(self, server, session):
        self.server, self.session = server, session
        self.boxes = []

    def told(self, **more):
        """The options of an account at this mailbox."""
        own = {
            "password": PASSWORD,
            "imap": {"host": "127.0.0.1", "port": self.server.imap_port, "tls": "none"},
            "smtp": {"host": "127.0.0.1", "port": self.server.smtp_port, "tls": "none"},
            "poll_every": "2s",
        }
        return letters.told(**{**own, **more})

    def opened(self, limits=QUICK, sending=QUICK_SMTP, **more):
        """A connector with options of its own."""
        boxes = mailbox.Mailboxes(limits)
        self.boxes.append(boxes)
        options = MailboxOptions.model_validate(self.told(**more))
        return spec.open(options, Transport(Http(self.session, Watch()), boxes, smtp.Smtp(sending)))

    async def put(self, raw, at=NOON, folder="INBOX"):
        """A letter that arrived *at*."""
        return await self.server.deliver(SUPPORT, raw, at, folder)

    async def kept(self, folder="Sent"):
        """The letters in a folder, as their owner sees them."""
        async with mailbox.Mailboxes(QUICK) as boxes:
            where = {"host": "127.0.0.1", "port": self.server.imap_port, "tls": "none"}
            box = boxes.open(Login(user=SUPPORT, password=PASSWORD, **where))
            page = await box.read(folder, None, NOON - timedelta(days=999), 999)
        return [each.raw for each in page.letters]


@asynccontextmanager
async def opened_shop(receive=None):
    async with mail.opened({SUPPORT: PASSWORD}, receive) as server, open_session("test") as session:
        shop = Shop(server, session)
        yield shop
        for boxes in shop.boxes:
            await boxes.close()
