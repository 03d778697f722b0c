"""An answer as a letter: Shopify's API writes to no buyer. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore import letters
from core.said import phrase
from core.transport import subjects
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from connectors.webstore.outbox import Mail
    from core.model import Draft, Thread
    from core.transport.outgoing import Outgoing


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    if thread.kind is ThreadKind.DISPUTE:
        return phrase(
            "a dispute takes evidence, no message: send it in Shopify's admin, at the order"
        )
    if frozenset(to) != {Party.BUYER}:
        return phrase("about an order there is nobody to answer but the buyer")
    if not thread.reply_to.get("mail"):
        return phrase("this order shows no mail address to the app; answer in Shopify's admin")
    return None


def letter(thread: Thread, draft: Draft, mail: Mail, now: datetime) -> Outgoing:
    """The letter that *draft* is, with the buyer's remark below it.

    Raises:
        Refused: it would go to nobody, or cannot be sent.
    """
    letters.check(draft, refuses(thread, draft.to))
    number = thread.order_ids[0] if thread.order_ids else thread.id
    asked = (thread.subject or "").strip() or f"#{number}"
    return letters.letter(thread, draft, mail, subjects.answering(asked), now)
