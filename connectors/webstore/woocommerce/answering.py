"""An answer as a note to the customer, which WooCommerce mails. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.remarks import text
from connectors.webstore.woocommerce import offer
from core.errors import Refused
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.model import Draft, Thread


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    if frozenset(to) != {Party.BUYER}:
        return "about an order there is nobody to answer but the buyer"
    if not thread.reply_to.get("mail"):
        return "this order names no mail address: a note would reach nobody"
    return None


def note(thread: Thread, draft: Draft) -> str:
    """The note that *draft* becomes; a shop shows and mails it as HTML.

    Raises:
        Refused: it cannot be sent; it says why.
    """
    if why := refuses(thread, draft.to):
        raise Refused(why, detail="recipient")
    if not offer.SHORTEST <= len(draft.body) <= offer.LONGEST:
        said = f"a note has {offer.SHORTEST} to {offer.LONGEST} characters"
        raise Refused(said, detail="length")
    if draft.files:
        raise Refused("a note takes no files", detail="files")
    return text.marked(draft.body)
