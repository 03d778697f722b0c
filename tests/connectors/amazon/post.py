"""Whole letters as they lie in a shop's mailbox, and a mail server on loopback that holds them."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count

from connectors.amazon import spec
from tests.connectors import mailing
from tests.connectors.amazon.letters import ANSWER, CASE, LOCAL, ORDER, QUESTION, SUPPORT, wrapped
from tests.connectors.mailing import NOON

SIGNED = "mx.shop.example; dkim=pass header.d=amazon.de"
NUMBERS = count(1)


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


class Shop(mailing.Shop):
    """A shop's mailbox to which Amazon writes."""

    def told(self, **more):
        return super().told(**{"marketplaces": ["A1PA6795UKMFR9"], **more})


def opened_shop(receive=None):
    return mailing.opened_shop(Shop, SUPPORT, spec, receive)
