"""Letters as bytes: what their sender wrote, and what the mailbox's server puts above it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from core.sandbox.mail_writing import LINE, Content, File, address, date, raw, with_headers

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "LINE", "Content", "File", "Kind", "Letter", "Mailbox", "address", "arrived", "date",
    "findings", "raw", "with_headers",
]  # fmt: skip

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
