"""An answer as a note to the customer, which WooCommerce mails. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.remarks import answers, text
from connectors.webstore.woocommerce import offer

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.model import Draft, Thread
    from sla.policy import Party

NOTE = "a note"


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    return answers.refuses(thread, to)


def note(thread: Thread, draft: Draft) -> str:
    """The note that *draft* becomes; a shop shows and mails it as HTML.

    Raises:
        Refused: it cannot be sent; it says why.
    """
    answers.check(thread, draft, NOTE, offer.SHORTEST, offer.LONGEST)
    return text.marked(draft.body)
