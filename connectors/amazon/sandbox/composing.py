"""Letters as bytes: what their sender wrote, and what the mailbox's server puts above it."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING, Literal, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Kind = Literal[
    "message",
    "form",
    "copy",
    "opt_out",
    "unapproved",
    "cancellation",
    "return",
    "refund",
    "claim",
    "decision",
    "chargeback",
    "unknown",
    "bounce",
    "delay",
    "sent",
    "forged",
    "foreign",
]

LINE = "\r\n"


class File(NamedTuple):
    """An attachment."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it left its sender; the mailbox's server adds what it finds on arrival.

    *signed_by* are the domains whose DKIM signatures hold, *broken* those whose signatures do not.
    *original_to* is the recipient before any forwarding, where a server notes it; *sender_domain*
    that of ``From``; *is_mail* says that it came from another server and was checked at all.
    """

    kind: Kind
    message_id: str
    at: datetime
    raw: bytes = field(repr=False)
    sender_domain: str
    signed_by: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    return_path: str = ""
    original_to: str | None = None
    relay_host: str = ""
    is_checked: bool = True


@dataclass(slots=True)
class Mailbox:
    """A *user*'s mailbox at *server*, which says of each letter what it found out about its sender.

    *checks*: ``all``, ``forwarded`` (it came by a detour: SPF fails, signatures survive), or
    ``none`` (the server does not look).
    """

    user: str
    server: str
    checks: Literal["all", "forwarded", "none"] = "all"


class Content(NamedTuple):
    """What a letter holds: *text*, *html* or both, and *files*."""

    text: str | None = None
    html: str | None = None
    files: tuple[File, ...] = ()


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


def arrived(letter: Letter, mailbox: Mailbox, at: datetime) -> bytes:
    """*letter* as it lies in *mailbox*: the server's own words above all that the sender wrote."""
    lines = [f"Return-Path: <{letter.return_path}>", f"Delivered-To: {mailbox.user}"]
    if letter.original_to:
        lines.append(f"X-Original-To: {letter.original_to}")
    if letter.is_checked and mailbox.checks != "none":
        lines.append(f"Authentication-Results: {findings(letter, mailbox)}")
    if letter.relay_host:
        route = f"from {letter.relay_host} by {mailbox.server} with ESMTPS"
        lines.append(f"Received: {route} for <{mailbox.user}>; {date(at)}")
    return "".join(f"{line}{LINE}" for line in lines).encode("ascii") + letter.raw


def findings(letter: Letter, mailbox: Mailbox) -> str:
    """What the server of *mailbox* found out about who sent *letter* (RFC 8601)."""
    signatures = [f"dkim=pass header.d={domain}" for domain in letter.signed_by]
    signatures += [f"dkim=fail header.d={domain}" for domain in letter.broken]
    aligned = any(_aligned(domain, letter.sender_domain) for domain in letter.signed_by)
    spf = "fail" if mailbox.checks == "forwarded" or not letter.signed_by else "pass"
    found = [
        mailbox.server,
        *(signatures or ["dkim=none"]),
        f"spf={spf} smtp.mailfrom={letter.return_path.rpartition('@')[2] or 'unknown'}",
        f"dmarc={'pass' if aligned else 'fail'} header.from={letter.sender_domain or 'unknown'}",
    ]
    return f";{LINE} ".join(found)


def _aligned(signer: str, sender: str) -> bool:
    return sender == signer or sender.endswith(f".{signer}") or signer.endswith(f".{sender}")


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


def with_headers(pairs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Headers in the order in which they are written; empty ones left out."""
    return [(name, value) for name, value in pairs.items() if value]
