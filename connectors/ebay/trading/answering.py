"""Sends an answer, once: to a question, or to whom an order is with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.trading.mapping import EXCHANGE, FROM, ITEM, MARKETPLACE
from core.connector import Sent
from core.errors import Refused
from core.said import phrase
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection

    from connectors.ebay.trading.calls import Calls
    from core.model import Draft, Thread

ANSWER, WRITE = "AddMemberMessageRTQ", "AddMemberMessageAAQToPartner"
SHORTEST, LONGEST = 1, 2_000
"""How many characters an answer may have."""

LONGEST_SUBJECT = 100


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* cannot be answered in a thread as it is known; None where they can be."""
    if thread.reply_to.get(FROM) == MARKETPLACE:
        return phrase(
            "eBay's own notices cannot be answered; read them, and do what they ask at eBay"
        )
    if frozenset(to) != {Party.BUYER}:
        return phrase("a question is a member's alone: address the buyer")
    if not thread.buyer:
        return phrase("nobody knows any more who asked; answer at eBay")
    if not thread.id.startswith(EXCHANGE) and not thread.reply_to.get(ITEM):
        return phrase("a letter about no order cannot be answered by this API; answer at eBay")
    return None


async def reply(calls: Calls, thread: Thread, draft: Draft) -> Sent:
    """Answer; eBay tells no id of it: the answer is found by its words when it is read back.

    Raises:
        Refused, BadCredentials, RateLimited, Unreachable: it was certainly not sent.
        OutcomeUnknown: it may have been sent (trap 19).
    """
    if (why := refuses(thread, draft.to)) is not None:
        raise Refused(why, detail="recipient")
    if not SHORTEST <= len(draft.body) <= LONGEST:
        raise Refused(f"a message has {SHORTEST} to {LONGEST} characters", detail="length")
    if draft.files:
        raise Refused("an answer by this API takes no files along", detail="files")
    if thread.id.startswith(EXCHANGE):
        await calls.send(ANSWER, _to_question(thread, draft))
    else:
        await calls.send(WRITE, _to_partner(thread, draft))
    return Sent(None)


def _to_question(thread: Thread, draft: Draft) -> dict[str, object]:
    item = thread.reply_to.get(ITEM)
    said = {
        "Body": draft.body,
        "DisplayToPublic": "false",
        "EmailCopyToSender": "false",
        "ParentMessageID": thread.id.removeprefix(EXCHANGE),
        "RecipientID": thread.buyer,
    }
    return {"ItemID": item, "MemberMessage": said} if item else {"MemberMessage": said}


def _to_partner(thread: Thread, draft: Draft) -> dict[str, object]:
    said = {
        "Body": draft.body,
        "QuestionType": "General",
        "RecipientID": thread.buyer,
        "Subject": (thread.subject or "Your order")[:LONGEST_SUBJECT],
    }
    return {"ItemID": thread.reply_to[ITEM], "MemberMessage": said}
