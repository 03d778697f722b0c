"""Letters as bytes, for the stand-ins that speak by mail: what stands in them is the stand-in's."""

from __future__ import annotations

import re
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING, Literal, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

LINE = "\r\n"
BOUNDARY = "report-of-a-sandbox"

_ID = re.compile(rb"^message-id:\s*<([^<>\s]+)>", re.IGNORECASE | re.MULTILINE)


class File(NamedTuple):
    """An attachment."""

    name: str
    media_type: str
    content: bytes


class Content(NamedTuple):
    """What a letter holds: *text*, *html* or both, and *files*."""

    text: str | None = None
    html: str | None = None
    files: tuple[File, ...] = ()


class Failure(NamedTuple):
    """Why a letter was not delivered: the status (RFC 3463) and what the other server said."""

    action: Literal["failed", "delayed"]
    status: str
    said: str


def raw(headers: Sequence[tuple[str, str]], content: Content) -> bytes:
    """The bytes of a letter; every line of them ASCII and shorter than 998 bytes."""
    body = _body(content)
    for number, part in enumerate(one for one in body.walk() if one.is_multipart()):
        part.set_boundary(f"----=_Part_{number}_{crc32(repr(headers).encode())}")
    head = LINE.join(f"{name}: {_encoded(name, value)}" for name, value in headers)
    return f"{head}{LINE}".encode("ascii") + body.as_bytes(policy=SMTP)


def address(name: str, mail: str) -> str:
    """An address as it stands in a header."""
    return formataddr((name, mail)) if name else mail


def date(at: datetime) -> str:
    """An instant as it stands in a header: to the second."""
    return format_datetime(at)


def with_headers(pairs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Headers in the order in which they are written; empty ones left out."""
    return [(name, value) for name, value in pairs.items() if value]


def message_id(raw: bytes) -> str:
    """The id of the letter *raw*, without brackets; empty where it has none."""
    found = _ID.search(raw.partition(b"\r\n\r\n")[0])
    return found[1].decode("ascii", "replace") if found else ""


def report(
    failure: Failure, server: str, mailbox: str, recipient: str, letter: bytes, at: datetime,
    id_: str,
) -> bytes:  # fmt: skip
    """The report (RFC 3464) on *letter* to *recipient*; it holds the headers of the letter."""
    failed = failure.action == "failed"
    domain = recipient.rpartition("@")[2]
    headers = {
        "Date": date(at),
        "From": f"Mail Delivery System <MAILER-DAEMON@{server}>",
        "To": mailbox,
        "Message-ID": f"<{id_}>",
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
        _part("text/rfc822-headers", letter.partition(b"\r\n\r\n")[0]),
    ]
    head = "".join(f"{name}: {value}{LINE}" for name, value in headers.items())
    body = b"".join(parts) + f"--{BOUNDARY}--{LINE}".encode()
    return head.encode() + LINE.encode() + body


def _part(kind: str, content: bytes) -> bytes:
    head = f"--{BOUNDARY}{LINE}Content-Type: {kind}{LINE}{LINE}"
    return head.encode() + content + LINE.encode() * 2


def _encoded(name: str, value: str) -> str:
    if value.isascii():
        return value
    return Header(value, "utf-8", header_name=name).encode(linesep=LINE)


def _body(content: Content) -> EmailMessage:
    """The content with its own headers."""
    message = EmailMessage(policy=SMTP)
    if content.text is not None:
        message.set_content(content.text, cte="quoted-printable")
        if content.html is not None:
            message.add_alternative(content.html, subtype="html", cte="quoted-printable")
    else:
        message.set_content(content.html or "", subtype="html", cte="quoted-printable")
        message.make_alternative()
    for file in content.files:
        main, _, sub = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    return message
