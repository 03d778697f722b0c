"""An answer to a buyer as a letter: to whom the thread says, upon the newest letter. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.mailbox.joining import PREFIX
from core.errors import Refused
from core.said import phrase
from core.transport import replies, subjects
from core.transport.letter import Address
from core.transport.outgoing import Outgoing
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from connectors.webstore.mailbox.options import MailboxOptions
    from core.model import Draft, Thread

AUTOMATIC = "Automatic reply"
WHOM = phrase("by mail only the buyer is answered; nobody else is in the thread")
NO_ADDRESS = phrase("the letter names no address to answer to; look for the buyer's in its text")


def letter(thread: Thread, draft: Draft, options: MailboxOptions, now: datetime) -> Outgoing:
    """The letter that *draft* is: what was written, and below it the buyer's words.

    What nobody wrote says so in its headers.

    The thread stands in its id, and where the shop's server takes it in the address to answer to,
    so that an answer is known whatever a mail program leaves of it.

    Raises:
        Refused: it would go to nobody.
    """
    address, token = _address(thread, draft.to), thread.id.removeprefix(PREFIX)
    told = thread.reply_to
    return Outgoing(
        message_id=replies.message_id(draft, options.sender, token),
        sender=Address(options.sender_name, options.sender),
        recipient=Address("", address),
        subject=_subject(thread, draft),
        text=replies.text(draft),
        at=now,
        in_reply_to=told.get("message_id"),
        references=tuple(told.get("references", "").split()),
        files=replies.files(draft),
        automatic=draft.automatic,
        answers_to=_plus(options.sender, token) if options.plus_address else None,
    )


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why nobody can be answered in *thread* as it is known; None where *to* can be."""
    try:
        _address(thread, to)
    except Refused as fault:
        return str(fault)
    return None


def _address(thread: Thread, to: Collection[Party]) -> str:
    if frozenset(to) != {Party.BUYER}:
        raise Refused(WHOM, detail="recipient")
    address = thread.reply_to.get("address", "")
    if not address:
        raise Refused(NO_ADDRESS, detail="recipient")
    return address


def _subject(thread: Thread, draft: Draft) -> str:
    """The buyer's own behind ``Re:``; of what nobody wrote the shop's, without a buyer's word."""
    if draft.automatic:
        return draft.subject or AUTOMATIC
    return subjects.answering((thread.subject or "").strip() or _about(thread))


def _about(thread: Thread) -> str:
    return ", ".join(thread.order_ids[:1])


def _plus(sender: str, token: str) -> str:
    local, _, domain = sender.rpartition("@")
    return f"{local}+{token}@{domain}"
