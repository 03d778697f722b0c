"""What a delivery report says of which letter: RFC 3464, and what older servers write. Pure."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from core.transport import headers, parts
from core.transport.faults import Fault
from core.transport.letter import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
RETURNED = frozenset({"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"})
MACHINES = STATUS | RETURNED | {
    "message/disposition-notification", "message/global-disposition-notification",
    "message/feedback-report",
}  # fmt: skip
"""Parts that are written for programs: they are no attachments."""

LONGEST = 262_144
"""Bytes of a report that are read: a hundred recipients have 40 kB."""

MOST_RECIPIENTS = 100
"""A reply of ours goes to one buyer; a report on hundreds is about no letter of ours."""

ACTIONS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})
ACTION_OF = {"2": "delivered", "4": "delayed", "5": "failed"}
CODE = re.compile(rb"\b([245]\.\d{1,3}\.\d{1,3})\b")
MESSAGE_ID = re.compile(rb"^[> \t]*message-id:\s*<([^<>\s]{1,998})>", re.IGNORECASE | re.MULTILINE)
BETWEEN = re.compile(rb"\n[ \t]*\r?\n")


def read(root: parts.Part, faults: set[Fault]) -> tuple[Report, ...]:
    """What the letter reports, one answer for each recipient; empty where it is no report."""
    leaves = list(root.leaves())
    status = [part for part in leaves if part.media_type in STATUS]
    reported = root.parameters.get("report-type", "").lower() == "delivery-status"
    if status or reported:
        ids = chain(_returned(leaves, faults), _named(status, faults), _answered(root))
        found = tuple(_groups(status, next(filter(None, ids), None), faults))
        if not found:
            faults.add(Fault.REPORT_BROKEN)
        return found
    return tuple(_failed_recipients(root, leaves, faults))


def _groups(
    status: Iterable[parts.Part], message_id: str | None, faults: set[Fault]
) -> Iterator[Report]:
    """One report for each recipient's group of fields; the first group is about the letter."""
    left = MOST_RECIPIENTS
    for fields in _fields(status, faults):
        action = _word(headers.first(fields, "action"))
        code = CODE.search(headers.first(fields, "status"))
        said = code[1].decode() if code else None
        if not action and not said:
            continue
        if action not in ACTIONS:
            action = ACTION_OF[said[0]] if said else "failed"
        yield Report(message_id, _recipient(fields), action, said)
        left -= 1
        if not left:
            return


def _fields(status: Iterable[parts.Part], faults: set[Fault]) -> Iterator[headers.Fields]:
    ignored = set[Fault]()
    for part in status:
        raw = parts.payload(part, faults, LONGEST).strip()
        for group in BETWEEN.split(raw, 2 * MOST_RECIPIENTS):
            yield headers.block(group.lstrip(), 0, len(group.lstrip()), ignored).fields


def _word(raw: bytes) -> str:
    return re.split(r"[\s;(]", raw.decode("ascii", "replace").strip().lower(), maxsplit=1)[0]


def _recipient(fields: headers.Fields) -> str | None:
    """The address that failed: as we wrote it where the report knows that too."""
    for name in ("original-recipient", "final-recipient"):
        kind, _, address = headers.first(fields, name).decode("ascii", "replace").partition(";")
        address = address or kind
        if "@" in address:
            return address.strip().strip("<>")[:320]
    return None


def _returned(leaves: Iterable[parts.Part], faults: set[Fault]) -> Iterator[str]:
    """The Message-ID of the letter that came back, whole or its headers alone."""
    for part in leaves:
        if part.is_letter:
            yield headers.identity(headers.first(part.children[0].fields, "message-id"))
        elif part.media_type in RETURNED:
            yield _in_text(parts.payload(part, faults, LONGEST))


def _named(status: Iterable[parts.Part], faults: set[Fault]) -> Iterator[str]:
    for fields in _fields(status, faults):
        for name in ("original-message-id", "x-original-message-id"):
            yield headers.identity(headers.first(fields, name))


def _answered(root: parts.Part) -> Iterator[str]:
    """The letter that the report answers, as its headers say."""
    for name in ("in-reply-to", "references"):
        yield headers.identity(headers.first(root.fields, name))


def _in_text(raw: bytes) -> str:
    found = MESSAGE_ID.search(raw)
    return headers.identity(found[1]) if found else ""


def _failed_recipients(
    root: parts.Part, leaves: Iterable[parts.Part], faults: set[Fault]
) -> Iterator[Report]:
    """Exim's header, and Gmail's: addresses that failed; the letter is quoted below the text."""
    said = b",".join(root.fields.get("x-failed-recipients", ())).decode("ascii", "replace")
    addresses = [each.strip() for each in said.split(",", MOST_RECIPIENTS) if "@" in each]
    if not addresses:
        return
    texts = [p for p in leaves if p.media_type == "text/plain"][:1]
    quoted = (_in_text(parts.payload(part, faults, LONGEST)) for part in texts)
    ids = chain(_returned(leaves, faults), quoted, _answered(root))
    message_id = next(filter(None, ids), None)
    for address in addresses[:MOST_RECIPIENTS]:
        yield Report(message_id, address.strip("<>")[:320], "failed", None)
