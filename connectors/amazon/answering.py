"""An answer to a buyer as a letter: to the whole alias, from the approved sender. Pure.

Amazon turns away what comes from an address that it has not approved (trap 15), and puts into its
own case what comes to an alias with all of its parts (trap 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.amazon import addresses
from core.errors import Refused
from core.said import phrase
from core.transport import replies, subjects
from core.transport.letter import Address
from core.transport.outgoing import Outgoing
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from connectors.amazon.options import AmazonOptions
    from core.model import Draft, Thread


WHOM = phrase("by mail only the buyer is answered; write to Amazon in Seller Central")
SUSPECT = phrase(
    "the letter was not proven to be Amazon's, so nobody is answered; "
    "if it is real, answer in Seller Central"
)
NO_ADDRESS = phrase("this thread names no address of a buyer; answer in Seller Central")
NO_ADDRESS_OF = {
    ThreadKind.CLAIM: phrase("a claim names no address of a buyer; answer in Seller Central"),
    ThreadKind.RETURN: phrase("a return names no address of a buyer; answer in Seller Central"),
    ThreadKind.CANCELLATION: phrase(
        "a cancellation names no address of a buyer; answer in Seller Central"
    ),
    ThreadKind.DISPUTE: phrase("a dispute names no address of a buyer; answer in Seller Central"),
}


def letter(thread: Thread, draft: Draft, options: AmazonOptions, now: datetime) -> Outgoing:
    """The letter that *draft* is, with the buyer's words below it.

    Without these an answer to a buyer who opted out is turned away.

    Raises:
        Refused: it would go to nobody, or to somebody who is no buyer.
    """
    alias = recipient(thread, draft)
    asked = thread.reply_to.get("message_id")
    return Outgoing(
        message_id=replies.message_id(draft, options.sender),
        sender=Address("", options.sender),
        recipient=Address("", alias),
        subject=subject(thread),
        text=replies.text(draft),
        at=now,
        in_reply_to=asked,
        references=(asked,) if asked else (),
        files=replies.files(draft),
    )


def recipient(thread: Thread, draft: Draft) -> str:
    """The buyer's whole alias, as it came.

    Raises:
        Refused: the thread has none, or *draft* is for others than the buyer.
    """
    return _address(thread, draft.to)


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
    if thread.id.startswith("suspect:"):
        raise Refused(SUSPECT, detail="suspicious")
    alias = thread.reply_to.get("alias", "")
    if not addresses.alias(alias):
        raise Refused(NO_ADDRESS_OF.get(thread.kind, NO_ADDRESS), detail="recipient")
    return alias


def subject(thread: Thread) -> str:
    """``Re:`` once, and the subject of what is answered; its order where it has none."""
    return subjects.answering((thread.subject or "").strip() or ", ".join(thread.order_ids[:1]))
