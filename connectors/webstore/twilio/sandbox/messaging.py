"""What people write, and what becomes of it: deliveries, opt-outs, the window of WhatsApp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.twilio.sandbox.desk import START_WORDS, STOP_WORDS, WINDOW, Message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.twilio.sandbox.desk import Account, Number

ON_ITS_WAY = ("queued", "sent", "delivered")
OUTSIDE, UNSUBSCRIBED = 63016, 21610


def buyer_writes(
    account: Account,
    number: Number,
    theirs: str,
    body: str,
    *,
    at: datetime | None = None,
    media: Sequence[str] = (),
    pushed: bool = True,
) -> Message:
    """A buyer's message comes in; STOP and START are heeded as Twilio does, on SMS alone."""
    when = at or account.desk.now()
    files = tuple((account.desk.sid("ME"), type_) for type_ in media)
    made = Message(
        account.desk.sid("MM" if files else "SM"), theirs, number.address, body, "inbound",
        "received", when, when, when, media=files,
    )  # fmt: skip
    account.messages[made.sid] = made
    number.last_from[theirs] = max(when, number.last_from.get(theirs, when))
    word = body.strip().lower()
    if not number.is_whatsapp and number.answers_stop and word in STOP_WORDS:
        number.opted_out.add(theirs)
    elif word in START_WORDS:
        number.opted_out.discard(theirs)
    if pushed:
        account.tell(number.sms_url, inbound_form(account, made))
    return made


def seller_writes(
    account: Account,
    number: Number,
    theirs: str,
    body: str,
    *,
    at: datetime | None = None,
    direction: str = "outbound-api",
    callback: str | None = None,
    service: str | None = None,
    arrives: bool = True,
) -> Message:
    """A message of the shop's leaves; outside the window of WhatsApp it fails by and by."""
    when = at or account.desk.now()
    made = Message(
        account.desk.sid("SM"), number.address, theirs, body, direction, "queued", when, when, when,
        callback=callback, service=service,
    )  # fmt: skip
    account.messages[made.sid] = made
    if number.is_whatsapp and not is_open(number, theirs, when):
        fail(account, made, OUTSIDE, at=when)
    elif arrives:
        deliver(account, made, at=when)
    return made


def is_open(number: Number, theirs: str, at: datetime) -> bool:
    """Whether WhatsApp takes free answers."""
    last = number.last_from.get(theirs)
    return last is not None and at <= last + WINDOW


def deliver(
    account: Account, message: Message, *, at: datetime | None = None, disorderly: bool = False
) -> None:
    """It arrives; its statuses are told in order, or the other way about."""
    message.status, message.updated_at = "delivered", at or account.desk.now()
    for told in reversed(ON_ITS_WAY) if disorderly else ON_ITS_WAY:
        account.tell(message.callback, status_form(message, told))


def fail(
    account: Account,
    message: Message,
    error: int,
    *,
    at: datetime | None = None,
    how: str = "undelivered",
) -> None:
    """It does not arrive."""
    message.status, message.error = how, error
    message.updated_at = at or account.desk.now()
    account.tell(message.callback, status_form(message, how))


def inbound_form(account: Account, message: Message) -> dict[str, str]:
    """What a message coming in is told by; it names no date."""
    told = {
        "MessageSid": message.sid,
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsStatus": "received",
        "From": message.sender,
        "To": message.to,
        "Body": message.body,
        "NumSegments": "1",
        "NumMedia": str(len(message.media)),
    }
    if message.sender.startswith("whatsapp:"):
        told |= {"ProfileName": "Ana", "WaId": message.sender.partition("+")[2]}
    for place, (sid, type_) in enumerate(message.media):
        path = f"/2010-04-01/Accounts/{account.sid}/Messages/{message.sid}/Media/{sid}"
        told[f"MediaUrl{place}"] = f"https://api.twilio.com{path}"
        told[f"MediaContentType{place}"] = type_
    return told


def status_form(message: Message, told: str) -> dict[str, str]:
    """What becomes of a message of the shop's, as it is told."""
    form = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageStatus": told,
        "SmsStatus": told,
        "From": message.sender,
        "To": message.to,
    }
    return form | ({} if message.error is None else {"ErrorCode": str(message.error)})
