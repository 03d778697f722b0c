"""What the connector offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.amazon.options import FLOOR
from core.connector import Capabilities
from core.model import Stream
from core.transport.login import is_loopback
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.amazon.options import AmazonOptions

MAIL = "mail"

KINDS = frozenset({
    ThreadKind.MESSAGE, ThreadKind.CLAIM, ThreadKind.RETURN, ThreadKind.CANCELLATION,
    ThreadKind.DISPUTE,
})  # fmt: skip
"""What letters are about."""

SHORTEST = 1
"""How many characters an answer has at least; Amazon publishes no most for an answer by mail."""

OPERATIONS = ("token",)
"""The words that name our calls in metrics: a mailbox is asked by IMAP, which is none."""


def streams(options: AmazonOptions) -> tuple[Stream, ...]:
    """One for all folders, for a thread's letters lie in several and one memory joins them.

    Each page moves the cursor: what was read of a folder is read whatever becomes of the walk.
    """
    floor = timedelta(seconds=1) if is_loopback(options.imap.host) else FLOOR
    return (Stream(MAIL, options.poll_every, ascending=True, floor=floor, kinds=KINDS),)


def can(options: AmazonOptions) -> Capabilities:
    """What Amazon by mail offers beyond reading.

    Its mark "no response needed" and most answers given in Seller Central are seen by nobody here.
    """
    return Capabilities(
        replies=True,
        waits=True,
        own_mark=False,
        sees_replies="copies",
        shortest_reply=SHORTEST,
        verdicts=True,
        letters=True,
        confirmed_after=options.confirmed_after,
    )
