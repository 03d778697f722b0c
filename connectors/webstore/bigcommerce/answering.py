"""An answer as a letter: BigCommerce's API takes no message. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.bigcommerce import offer
from core.errors import Refused
from core.transport import replies, subjects
from core.transport.letter import Address
from core.transport.outgoing import Outgoing
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from connectors.webstore.outbox import Mail
    from core.model import Draft, Thread


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    if frozenset(to) != {Party.BUYER}:
        return "about an order there is nobody to answer but the buyer"
    if not thread.reply_to.get("mail"):
        return "this order names no mail address; answer in the store's control panel"
    return None


def check(thread: Thread, draft: Draft) -> None:
    """Refuse what cannot be sent, before anything leaves.

    Raises:
        Refused: it says why.
    """
    if why := refuses(thread, draft.to):
        raise Refused(why, detail="recipient")
    if not offer.SHORTEST <= len(draft.body) <= offer.LONGEST:
        said = f"an answer has {offer.SHORTEST} to {offer.LONGEST} characters"
        raise Refused(said, detail="length")
    if any(file.url is not None for file in draft.files):
        raise Refused("a letter takes files, not their addresses", detail="files")


def letter(thread: Thread, draft: Draft, mail: Mail, now: datetime) -> Outgoing:
    """The letter that *draft* is, with the buyer's words below it.

    Raises:
        Refused: it would go to nobody.
    """
    check(thread, draft)
    asked = (thread.subject or "").strip() or f"#{thread.id}"
    named = asked if thread.id in asked else f"{asked} (#{thread.id})"
    return Outgoing(
        message_id=replies.message_id(draft, mail.sender),
        sender=Address(mail.name, mail.sender),
        recipient=Address("", thread.reply_to["mail"]),
        subject=subjects.answering(named),
        text=replies.text(draft),
        at=now,
        files=replies.files(draft),
    )
