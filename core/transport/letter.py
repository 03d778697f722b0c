"""What a letter is, once read: the words that `mime.read` answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Automatic = Literal["no", "reply", "bounce", "delayed", "receipt", "complaint", "bulk", "system"]
"""What kind of letter no person wrote: RFC 3834, 3464, 8098, 5965 and the customs beside them."""


class Address(NamedTuple):
    """Who: *name* decoded, may be empty; *address* as it stands, its domain in lower case."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class File:
    """An attachment: *id* is its path in the tree of parts ("2.1"), stable for these bytes.

    *size* is in bytes, decoded. *is_inline*: the HTML shows it where its words are.
    """

    id: str
    name: str
    media_type: str
    size: int
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a delivery report says (RFC 3464) of the letter with *message_id*.

    *action* is ``failed``, ``delayed``, ``delivered``, ``relayed`` or ``expanded``; *status* the
    enhanced code ("5.1.1").
    """

    message_id: str | None
    recipient: str | None
    action: str
    status: str | None


@dataclass(frozen=True, slots=True)
class Mail:
    """One letter.

    *message_id* is without brackets, made of the letter itself where it has none (``made:`` and a
    digest); *headers* are decoded texts by names in lower case, in their order. *date* is what the
    sender says, UTC, None where unreadable. *envelope* are the recipients that the last servers
    noted (Delivered-To, X-Original-To, Envelope-To). *text* is what a person reads: the plain part,
    or the HTML as text; *html* as it came (never to be shown as it is). *forwarded* are
    letters inside this one, whose senders are nobody's buyers. *automatic* is what its *signs* come
    to (closed words, `automatic.SIGNS`): who knows better what a sign is worth here weighs them.
    *faults* are the words of `faults.Fault`.
    """

    message_id: str
    headers: Mapping[str, tuple[str, ...]]
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    envelope: tuple[str, ...]
    subject: str
    date: datetime | None
    text: str
    html: str | None
    files: tuple[File, ...] = ()
    forwarded: tuple[Mail, ...] = ()
    automatic: Automatic = "no"
    reports: tuple[Report, ...] = ()
    faults: tuple[str, ...] = field(default=())
    signs: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """The first header of this *name* (lower case), empty where there is none."""
        return next(iter(self.headers.get(name, ())), "")
