"""An answer as a comment of which Magento notifies the customer. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.webstore.magento import offer
from core.errors import Refused
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.model import Draft, Thread

CUT = re.compile(r"<\S")
"""What Magento takes for the begin of a tag: it mails nothing up to the next ``>``."""


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    if frozenset(to) != {Party.BUYER}:
        return "about an order there is nobody to answer but the buyer"
    if not thread.reply_to.get("mail"):
        return "this order names no mail address: a comment would reach nobody"
    return None


def comment(thread: Thread, draft: Draft) -> str:
    """The comment that *draft* becomes.

    Raises:
        Refused: it cannot be sent; it says why.
    """
    if why := refuses(thread, draft.to):
        raise Refused(why, detail="recipient")
    if not offer.SHORTEST <= len(draft.body) <= offer.LONGEST:
        said = f"a comment has {offer.SHORTEST} to {offer.LONGEST} characters"
        raise Refused(said, detail="length")
    if draft.files:
        raise Refused("a comment takes no files", detail="files")
    if CUT.search(draft.body):
        raise Refused(
            "Magento would mail it without what follows a < up to the next >; write it otherwise,"
            " or put a space behind the <",
            detail="markup",
        )
    return draft.body
