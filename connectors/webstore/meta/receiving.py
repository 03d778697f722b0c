"""What a push is answered, once it was translated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.meta import door
from core.pushes import Pushed, Receipt

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from core.model import Page
    from core.pushes import PushOutcome, PushRequest


def receipt(
    request: PushRequest,
    pages: Mapping[str, Page],
    topic: str,
    now: datetime,
    *,
    is_strange: bool,
    wake: bool = False,
) -> Receipt:
    """*pages* are stored before it leaves; what concerns nobody here is acknowledged and counted.

    Meta says neither which push it is nor when it was first sent: it is known by its bytes, and
    counts as sent now; a message that comes months later is known by its own id. *wake*: what can
    be read again is read at once.
    """
    outcome: PushOutcome = "stored"
    if not pages:
        outcome = "unknown_account" if is_strange else "unknown_topic"
    pushed = Pushed(door.digest(request.body), topic, now)
    woken = frozenset(pages) if wake else frozenset()
    return Receipt(200, pages=pages, wake=woken, pushed=pushed, outcome=outcome)


def first(topics: Collection[str], order: tuple[str, ...]) -> str:
    """The topic by which a push is counted: the first of *order* that is in it, else the last."""
    return next((one for one in order if one in topics), order[-1])
