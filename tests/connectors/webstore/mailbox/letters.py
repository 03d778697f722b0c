"""Letters as they lie in a shop's mailbox, and what the connector's pure half makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count

from connectors.webstore.mailbox import mapping
from connectors.webstore.mailbox.letter import Arrival
from connectors.webstore.mailbox.memory import Memory
from connectors.webstore.mailbox.options import MailboxOptions
from core.transport import authentication, mime

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SUPPORT, ANA, BEN = "support@shop.example", "ana@mail.example", "ben@post.example"
SERVER = "mx.shop.example"
QUESTION = "Where is order 100123? I have been waiting since Monday."
NUMBERS = count(1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def told(**more):
    """The options of an account, as the settings say them."""
    return {
        "kind": "mailbox",
        "user": SUPPORT,
        "password": "x",
        "imap": {"host": "127.0.0.1", "port": 1, "tls": "none"},
        "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
        "sender": SUPPORT,
        "own_domains": ["shop.example"],
        "authserv_ids": [SERVER],
        "order_pattern": r"\b(100\d{3})\b",
        **more,
    }


def options(**more):
    return MailboxOptions.model_validate(told(**more))


def letter(
    words=QUESTION, *, sender=ANA, to=SUPPORT, id_=None, subject="Where is it?", at=NOON,
    dmarc="pass", arrived=True, **headers,
):  # fmt: skip
    """The bytes of a letter; *arrived*: as the mailbox's server put it there."""
    message = EmailMessage()
    if arrived and dmarc:
        where = sender.rpartition("@")[2].rstrip(">")
        message["Authentication-Results"] = f"{SERVER}; dmarc={dmarc} header.from={where}"
    if arrived:
        message["Delivered-To"] = SUPPORT
    message["From"], message["To"] = sender, to
    message["Subject"] = subject
    message["Date"] = format_datetime(at)
    if id_ != "":
        message["Message-ID"] = f"<{id_ or f'l{next(NUMBERS)}@mail.example'}>"
    for name, value in headers.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    message.set_content(words)
    return message.as_bytes()


def report(kind):
    """A report of another kind than on a delivery: a read receipt, a complaint."""
    return (
        f"From: {ANA}\r\nTo: {SUPPORT}\r\nSubject: Read\r\nMIME-Version: 1.0\r\n"
        f"Message-ID: <r{next(NUMBERS)}@mail.example>\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="r"\r\n\r\n'
        "--r\r\nContent-Type: text/plain\r\n\r\nIt was read.\r\n"
        f"--r\r\nContent-Type: message/{kind}\r\n\r\nReporting-UA: x\r\n\r\n--r--\r\n"
    ).encode()


def form(words=QUESTION, *, who=ANA, sender='"My Shop" <noreply@shop.example>', **more):
    """A contact form's letter, as facts 10.7 show it."""
    told = {"id_": "f1@shop.example", "subject": "[Contact] Where is order 100123?",
            "Auto_Submitted": "auto-generated", **more}  # fmt: skip
    return letter(words, sender=sender, Reply_To=who, **told)


def vacation(answers, *, sender=ANA, **more):
    """An answer that nobody wrote, as facts 10.7 show it."""
    return letter(
        "I am away until Monday.", sender=sender, subject="Automatic reply: Re: Your order",
        In_Reply_To=f"<{answers}>", Auto_Submitted="auto-replied", X_Auto_Response_Suppress="All",
        **more,
    )  # fmt: skip


def answer(words="It comes on Monday.", *, to=ANA, id_="a1@shop.example", **more):
    """A letter that a colleague sent, as it lies where letters lie that left."""
    more = {"subject": "Re: Where is it?", **more}
    return letter(words, sender=SUPPORT, to=to, id_=id_, arrived=False, **more)


def bounce(about, *, to=ANA, action="failed", status="5.1.1", sender="MAILER-DAEMON@mx.example"):
    """A report on a letter of ours, as facts 10.7 show it."""
    return (
        f"Return-Path: <>\r\nDelivered-To: {SUPPORT}\r\nFrom: {sender}\r\nTo: {SUPPORT}\r\n"
        f"Subject: Undelivered Mail\r\nMessage-ID: <d{next(NUMBERS)}@mx.example>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n'
        "--r\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {to}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--r\r\nContent-Type: message/rfc822-headers\r\n\r\nMessage-ID: <{about}>\r\n\r\n--r--\r\n"
    ).encode()


def arrival(raw, at=NOON, role="inbox", gmail=None, servers=(SERVER,)):
    mail = mime.read(raw)
    return Arrival(mail, at, role, authentication.findings(mail.headers, servers), gmail)


class Desk:
    """Takes letters one after the other, as a walk does, and remembers what came of them."""

    def __init__(self, **more):
        self.options = options(**more)
        self.memory = Memory()
        self.messages, self.threads, self.asides, self.verdicts = {}, {}, [], []
        self.at = NOON

    def take(self, raw, role="inbox", at=None, gmail=None):
        """Read one letter; its message, None where it became none."""
        self.at = at or self.at + MINUTE
        page, self.memory = mapping.read(
            [arrival(raw, self.at, role, gmail)], self.options, self.memory
        )
        self.messages |= {one.id: one for one in page.messages}
        self.threads |= {one.id: one for one in page.threads}
        self.asides += page.set_aside
        self.verdicts += page.verdicts
        return page.messages[-1] if page.messages else None

    def sent(self, raw, **more):
        return self.take(raw, "sent", **more)
