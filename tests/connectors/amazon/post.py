"""Whole letters as they lie in a shop's mailbox, and a mail server on loopback that holds them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count

from connectors.amazon import spec
from core.connector import Transport
from core.sandbox import mail
from core.stage import Watch
from core.transport import mailbox, smtp
from core.transport.http import Http, open_session
from core.transport.login import Login
from tests.connectors.amazon.letters import ANSWER, CASE, LOCAL, ORDER, QUESTION, SUPPORT, wrapped

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PASSWORD = "p4ss-word of the shop"
SIGNED = "mx.shop.example; dkim=pass header.d=amazon.de"
NUMBERS = count(1)

QUICK = mailbox.Limits(connect=5, answer=5, command=5, opening=5, courtesy=2)
HASTY = mailbox.Limits(connect=0.5, answer=0.5, command=0.5, opening=0.5, courtesy=0.5)
QUICK_SMTP = smtp.Limits(connect=5, command=5, before=5, letter=5)
HASTY_SMTP = smtp.Limits(connect=0.5, command=0.5, before=0.5, letter=0.5)


def case(number):
    """The uuid of a case of a buyer's."""
    return f"{number:08x}{CASE[8:]}"


def alias(number, tag=None):
    """The alias of a buyer; each has a case of his own."""
    return f"{LOCAL[:-6]}{number:06d}+{tag or case(number)}@marketplace.amazon.de"


def letter(
    words=QUESTION, *, number=None, sender=None, order=ORDER, sent=NOON - timedelta(hours=1),
    message_id=None, subject=None, signed=SIGNED, kind="BBC_MESSAGE_SENT_TO_MERCHANT", **headers,
):  # fmt: skip
    """A buyer's letter; *number* is the buyer."""
    number = next(NUMBERS) if number is None else number
    message = EmailMessage()
    address = sender or alias(number)
    message["From"] = f'"Ada - Amazon Marketplace" <{address}>'
    message["Reply-To"] = address
    message["To"] = SUPPORT
    message["Subject"] = subject or f"Frage von Amazon-Kunde Ada (Bestellung: {order})"
    message["Date"] = format_datetime(sent)
    message["Message-ID"] = f"<{message_id or f'0102018f-{number}@eu-west-1.amazonses.com'}>"
    message["X-Space-Notification-Type"] = kind
    message["X-Marketplace-ID"] = "A1PA6795UKMFR9"
    if signed:
        message["Authentication-Results"] = signed
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(wrapped("de", words, order, footer=""), cte="base64")
    return message.as_bytes()


def answer(to, words=ANSWER, *, message_id, **headers):
    """A letter that a colleague sent from another program."""
    message = EmailMessage()
    message["From"], message["To"] = SUPPORT, to
    message["Subject"] = headers.pop("subject", f"Re: Frage (Bestellung: {ORDER})")
    message["Date"] = format_datetime(NOON)
    message["Message-ID"] = f"<{message_id}>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(words, cte="base64")
    return message.as_bytes()


class Shop:
    """A mailbox on a mail server, and connectors that read it."""

    def __init__(self, server, session):
        self.server, self.session = server, session
        self.boxes = []

    def told(self, **more):
        """The options of an account at this mailbox."""
        return {
            "user": SUPPORT,
            "password": PASSWORD,
            "imap": {"host": "127.0.0.1", "port": self.server.imap_port, "tls": "none"},
            "smtp": {"host": "127.0.0.1", "port": self.server.smtp_port, "tls": "none"},
            "sender": SUPPORT,
            "marketplaces": ["A1PA6795UKMFR9"],
            "authserv_ids": ["mx.shop.example"],
            "poll_every": "2s",
            **more,
        }

    def opened(self, limits=QUICK, sending=QUICK_SMTP, observer=None, boxes=None, **more):
        """A connector with options of its own."""
        boxes = boxes or mailbox.Mailboxes(limits)
        self.boxes.append(boxes)
        http = Http(self.session, observer or Watch())
        options = spec.options.model_validate(self.told(**more))
        return spec.open(options, Transport(http, boxes, smtp.Smtp(sending)))

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
