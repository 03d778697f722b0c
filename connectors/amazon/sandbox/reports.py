"""Delivery reports (RFC 3464) by the shop's own mail server: a letter failed, or is late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from connectors.amazon.sandbox import composing
from connectors.amazon.sandbox.composing import LINE, Letter

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

BOUNDARY = "report-of-a-sandbox"


class Failure(NamedTuple):
    """Why a letter was not relayed: the status (RFC 3463) and what Amazon's server said."""

    action: Literal["failed", "delayed"]
    status: str
    said: str


DEAD = Failure("failed", "5.1.1", "550 5.1.1 recipient address unknown")
UNAPPROVED = Failure("failed", "5.7.1", "550 5.7.1 sender is not approved to write to buyers")
TOO_LARGE = Failure("failed", "5.3.4", "552 5.3.4 attachments are larger than 10 MB")
BY_FATE = {"dead": DEAD, "unapproved": UNAPPROVED, "too_large": TOO_LARGE}
LATE = Failure("delayed", "4.4.1", "451 4.4.1 no answer from the host, trying again")


def report(
    failure: Failure, server: str, mailbox: str, recipient: str, raw: bytes, at: datetime,
    random: Random,
) -> Letter:  # fmt: skip
    """The report on the letter *raw* to *recipient*; of the letter it holds the headers alone."""
    failed = failure.action == "failed"
    message_id = f"{random.getrandbits(64):016x}@{server}"
    domain = recipient.rpartition("@")[2]
    headers = {
        "Date": composing.date(at),
        "From": f"Mail Delivery System <MAILER-DAEMON@{server}>",
        "To": mailbox,
        "Message-ID": f"<{message_id}>",
        "Subject": "Undelivered Mail Returned to Sender" if failed else "Delayed Mail",
        "Auto-Submitted": "auto-replied",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/report; report-type=delivery-status; boundary="{BOUNDARY}"',
    }
    told = f"<{recipient}>: host mx.{domain} said: {failure.said}"
    status = [
        f"Reporting-MTA: dns; {server}",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        f"Action: {failure.action}",
        f"Status: {failure.status}",
        f"Diagnostic-Code: smtp; {failure.said}",
    ]
    parts = [
        _part("text/plain; charset=us-ascii", told.encode("ascii", "replace")),
        _part("message/delivery-status", LINE.join(status).encode("ascii", "replace")),
        _part("text/rfc822-headers", raw.partition(b"\r\n\r\n")[0]),
    ]
    head = "".join(f"{name}: {value}{LINE}" for name, value in headers.items())
    body = b"".join(parts) + f"--{BOUNDARY}--{LINE}".encode()
    return Letter(
        kind="bounce" if failed else "delay",
        message_id=message_id,
        at=at,
        raw=head.encode() + LINE.encode() + body,
        sender_domain=server,
        is_checked=False,
    )


def _part(kind: str, content: bytes) -> bytes:
    head = f"--{BOUNDARY}{LINE}Content-Type: {kind}{LINE}{LINE}"
    return head.encode() + content + LINE.encode() * 2
