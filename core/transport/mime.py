"""A letter's bytes as its parts. Pure: no network, no clock; whatever the bytes are, a `Mail`.

Nothing here raises: what cannot be read is named in `Mail.faults` and the rest is kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from core.transport import addresses, automatic, bodies, headers, parts, reports
from core.transport.faults import Fault
from core.transport.letter import Address, Automatic, File, Mail, Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Address", "Automatic", "Fault", "File", "Mail", "Report", "contents", "read"]

MOST_HOPS = 50
"""Received headers: servers themselves give up at 25 to 100."""

SAMPLE = 65_536
"""Bytes of its content that an id is made of, beside its length: a letter in a letter in a letter
is not read once for each."""

LONGEST_ID = 500
"""Characters of a Message-ID: RFC 5322 allows 998, an index row of the database about 2,700."""

AS_SENT = frozenset({
    "arc-authentication-results", "arc-message-signature", "arc-seal", "authentication-results",
    "delivered-to", "dkim-signature", "in-reply-to", "message-id", "received", "received-spf",
    "references", "return-path", "x-google-dkim-signature", "x-original-to", "x-received",
})  # fmt: skip
"""Headers without prose: an encoded word in them is somebody's attempt to say what they do not."""

NOTED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")


def read(raw: bytes) -> Mail:
    """The letter in *raw*, whatever it holds."""
    try:
        faults = set[Fault]()
        return _mail(parts.tree(raw, faults), raw, faults)
    except Exception:  # noqa: BLE001  # one letter nobody foresaw must not stop a mailbox
        return _unread(raw)


def contents(raw: bytes, file_id: str) -> bytes | None:
    """The bytes of the file *file_id* of the letter in *raw*; None where it has no such file.

    What is in an archive stays in it: nothing is opened.
    """
    ignored = set[Fault]()
    part = parts.find(parts.tree(raw, ignored), file_id)
    return None if part is None else parts.payload(part, ignored)


def _unread(raw: bytes) -> Mail:
    """A letter of which nothing is known but its bytes."""
    text = raw[: bodies.LONGEST_TEXT].decode("ascii", "replace").replace("\x00", "\ufffd")
    return Mail(
        _made(raw), {}, None, (), (), (), "", None, text, None, faults=(Fault.UNREADABLE.value,)
    )


def _mail(root: parts.Part, raw: bytes, faults: set[Fault]) -> Mail:
    said = _headers(root, faults)
    sender = _sender(root, faults)
    subject = next(iter(said.get("subject", ())), "")
    text, html, used = bodies.read(root, faults)
    told = reports.read(root, faults)
    is_report = root.media_type == "multipart/report"
    report_type = root.parameters.get("report-type", "").lower() if is_report else ""
    signs = automatic.signs(said, sender, subject, report_type, told)
    envelope = _envelope(said, faults)
    return Mail(
        message_id=_message_id(root, raw, faults),
        headers=said,
        sender=sender,
        reply_to=_addresses(root, "reply-to", faults),
        to=_addresses(root, "to", faults),
        envelope=envelope,
        subject=subject,
        date=_date(root, faults),
        text=text,
        html=html,
        files=tuple(bodies.files(root, used, html, faults)),
        forwarded=tuple(_forwarded(root)),
        automatic=automatic.verdict(signs),
        reports=told,
        faults=tuple(sorted(fault.value for fault in faults)),
        signs=signs,
    )


def _label(root: parts.Part) -> str:
    """The charset of the letter's text: bytes in its headers are mostly of the same."""
    first = next(root.leaves())
    return root.parameters.get("charset", "") or first.parameters.get("charset", "")


def _headers(root: parts.Part, faults: set[Fault]) -> Mapping[str, tuple[str, ...]]:
    label = _label(root)
    return {
        name: tuple(
            headers.one_line(headers.bare(value, label))
            if name in AS_SENT
            else headers.text(value, label, faults)
            for value in values
        )
        for name, values in root.fields.items()
    }


def _addresses(root: parts.Part, name: str, faults: set[Fault]) -> tuple[Address, ...]:
    label = _label(root)
    values = root.fields.get(name, ())
    return tuple(
        address
        for value in values
        for address in addresses.read(headers.bare(value, label), faults)
    )


def _sender(root: parts.Part, faults: set[Fault]) -> Address | None:
    found = _addresses(root, "from", faults)
    if not found:
        faults.add(Fault.SENDER_MISSING)
        return None
    first, *others = found
    if others or len(root.fields["from"]) > 1:
        faults.add(Fault.SENDER_REPEATED)
    return first


def _envelope(said: Mapping[str, tuple[str, ...]], faults: set[Fault]) -> tuple[str, ...]:
    """The recipients that servers noted, the last server's first."""
    noted = [addresses.cleaned(value) for name in NOTED for value in said.get(name, ())]
    delivered = said.get("delivered-to", ())
    if len(said.get("received", ())) > MOST_HOPS or len(set(delivered)) < len(delivered):
        faults.add(Fault.LOOPING)
    return tuple(dict.fromkeys(address for address in noted if address))


def _date(root: parts.Part, faults: set[Fault]) -> datetime | None:
    """What the sender says, UTC; a date without a zone is taken as UTC."""
    value = headers.first(root.fields, "date")[:200].decode("ascii", "replace")
    try:
        when = parsedate_to_datetime(value)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        faults.add(Fault.DATE_BROKEN)
        return None


def _message_id(root: parts.Part, raw: bytes, faults: set[Fault]) -> str:
    """The id without brackets; where it is none, one that a second copy of the letter gets too."""
    value = headers.first(root.fields, "message-id")
    if not value:
        faults.add(Fault.MESSAGE_ID_MISSING)
        return _made(raw, root)
    found = headers.identity(value)
    if not found or len(found) > LONGEST_ID:
        faults.add(Fault.MESSAGE_ID_BROKEN)
        return _made(value) if found else _made(raw, root)
    if not (value.startswith(b"<") and value.endswith(b">") and "@" in found):
        faults.add(Fault.MESSAGE_ID_BROKEN)
    return found


def _made(raw: bytes, root: parts.Part | None = None) -> str:
    """An id made of what no server on the way changes: who wrote what when."""
    digest = sha256()
    if root is not None:
        for name in ("from", "to", "date", "subject"):
            digest.update(b"\n".join(root.fields.get(name, ())) + b"\x00")
        digest.update(b"%d" % (root.end - root.start))
        digest.update(root.raw[root.start : min(root.end, root.start + SAMPLE)])
    else:
        digest.update(raw)
    return f"made:{digest.hexdigest()}"


def _forwarded(root: parts.Part) -> Iterator[Mail]:
    """The letters inside: each with faults of its own."""
    for part in root.leaves():
        if part.is_letter:
            inner = part.children[0]
            yield _mail(inner, inner.raw, set())
