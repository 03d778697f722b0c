"""Sends an answer, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.ebay.messages import media
from connectors.ebay.messages.mapping import EBAY, TYPE
from connectors.ebay.messages.payload import Taken
from connectors.ebay.messages.reading import BASE
from core.connector import Sent
from core.errors import Refused
from core.said import phrase
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection

    from connectors.ebay.access import Access
    from core.model import Draft, Thread

SEND = "sendMessage"
SHORTEST, LONGEST = 1, 2_000
"""How many characters a message may have (error 355013)."""


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* cannot be answered in a conversation as it is known; None where they can be."""
    if thread.reply_to.get(TYPE) == EBAY:
        return phrase(
            "eBay's own notices cannot be answered; read them, and do what they ask at eBay"
        )
    if frozenset(to) != {Party.BUYER}:
        return phrase("a conversation is with a member alone: address the buyer")
    return None


async def reply(access: Access, thread: Thread, draft: Draft) -> Sent:
    """Answer in a conversation, with the files of *draft*.

    Raises:
        Refused, BadCredentials, RateLimited, Unreachable: it was certainly not sent.
        OutcomeUnknown: it may have been sent: there is no key that would make a second one harmless
            (trap 19).
    """
    if (why := refuses(thread, draft.to)) is not None:
        raise Refused(why, detail="recipient")
    if not SHORTEST <= len(draft.body) <= LONGEST:
        raise Refused(f"a message has {SHORTEST} to {LONGEST} characters", detail="length")
    media.check(draft.files)
    said: dict[str, object] = {"conversationId": thread.id, "messageText": draft.body}
    if draft.files:
        said["messageMedia"] = await media.placed(access, draft.files)
    answer = await access.send("api", f"{BASE}/send_message", operation=SEND, json=said)
    try:
        return Sent(Taken.model_validate_json(answer.body).id)
    except ValidationError:
        return Sent(None)
