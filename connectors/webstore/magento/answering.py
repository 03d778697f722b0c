"""An answer as a comment of which Magento notifies the customer. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.webstore.magento import offer
from connectors.webstore.remarks import answers
from core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.model import Draft, Thread
    from sla.policy import Party

NOTE = "a comment"
CUT = re.compile(r"<\S")
"""What Magento takes for the begin of a tag: it mails nothing up to the next ``>``."""


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    return answers.refuses(thread, to)


def comment(thread: Thread, draft: Draft) -> str:
    """The comment that *draft* becomes.

    Raises:
        Refused: it cannot be sent; it says why.
    """
    answers.check(thread, draft, NOTE, offer.SHORTEST, offer.LONGEST)
    if CUT.search(draft.body):
        raise Refused(
            "Magento would mail it without what follows a < up to the next >; write it otherwise,"
            " or put a space behind the <",
            detail="markup",
        )
    return draft.body
