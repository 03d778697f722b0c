"""An answer as a letter: BigCommerce's API takes no message. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore import letters
from core.said import phrase
from core.transport import subjects
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from connectors.webstore.outbox import Mail
    from core.model import Draft, Thread
    from core.transport.outgoing import Outgoing


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    if frozenset(to) != {Party.BUYER}:
        return phrase("about an order there is nobody to answer but the buyer")
    if not thread.reply_to.get("mail"):
        return phrase("this order names no mail address; answer in the store's control panel")
    return None


def letter(thread: Thread, draft: Draft, mail: Mail, now: datetime) -> Outgoing:
    """The letter that *draft* is, with the buyer's words below it.

    Raises:
        Refused: it would go to nobody, or cannot be sent.
    """
    letters.check(draft, refuses(thread, draft.to))
    asked = (thread.subject or "").strip() or f"#{thread.id}"
    named = asked if thread.id in asked else f"{asked} (#{thread.id})"
    return letters.letter(thread, draft, mail, subjects.answering(named), now)
