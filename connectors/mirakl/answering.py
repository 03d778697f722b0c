"""Whom an answer to a thread goes to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Refused
from core.said import phrase
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.model import Thread

ADDRESSED = {Party.BUYER: "CUSTOMER", Party.MARKETPLACE: "OPERATOR"}
NOT_THERE = {
    Party.BUYER: phrase("the buyer cannot be addressed in this thread"),
    Party.MARKETPLACE: phrase("the marketplace cannot be addressed in this thread"),
    Party.SELLER: "nobody answers themselves",
}


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* cannot be answered in *thread* as it is known; None where they can be."""
    try:
        recipients(thread, to)
    except Refused as fault:
        return str(fault)
    return None


def recipients(thread: Thread, parties: Collection[Party]) -> list[dict[str, str]]:
    """The objects that M12 wants in `to`.

    Raises:
        Refused: one of *parties* does not take part, or there is none.
    """
    to = []
    for party in sorted(parties):
        kind = ADDRESSED.get(party, "")
        if kind not in thread.reply_to:
            raise Refused(NOT_THERE[party], detail="recipient")
        number = thread.reply_to[kind]
        to.append({"type": kind, "id": number} if number else {"type": kind})
    if not to:
        raise Refused("a reply without a recipient", detail="recipient")
    return to
