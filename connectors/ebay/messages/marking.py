"""Marks conversations as read, where a person asks for it: at eBay it means nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.ebay.messages.mapping import MEMBERS, TYPE
from connectors.ebay.messages.payload import Updates
from connectors.ebay.messages.reading import BASE
from core.errors import BadCredentials, ConnectorError, RateLimited, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.ebay.access import Access
    from core.model import Thread

ONE, BULK = "updateConversation", "bulkUpdateConversation"

AT_ONCE = 10
"""The most conversations in one call (error 355019)."""

DONE = frozenset({"SUCCESS", "SUCCESSFUL"})
"""eBay's contract has both words."""


async def mark_read(access: Access, threads: Sequence[Thread]) -> dict[str, str]:
    """Mark conversations as read; why it was not done, by thread, for those where it was not.

    An answer 200 to several says nothing of each: each is looked up (trap 37).

    Raises:
        BadCredentials, RateLimited: eBay would not do it now; some may be marked.
    """
    if len(threads) == 1:
        return await _one(access, threads[0])
    told: dict[str, str] = {}
    for begin in range(0, len(threads), AT_ONCE):
        told |= await _several(access, threads[begin : begin + AT_ONCE])
    return told


async def _one(access: Access, thread: Thread) -> dict[str, str]:
    said = {**_named(thread), "read": True}
    try:
        await access.send("api", f"{BASE}/update_conversation", operation=ONE, json=said)
    except (BadCredentials, RateLimited):
        raise
    except ConnectorError as fault:
        return {thread.id: str(fault)}
    return {}


async def _several(access: Access, threads: Sequence[Thread]) -> dict[str, str]:
    """Ten at most; where eBay refuses them together, each by itself: one may be the cause."""
    said = {"conversations": [{**_named(t), "conversationStatus": "READ"} for t in threads]}
    path = f"{BASE}/bulk_update_conversation"
    try:
        answer = await access.send("api", path, operation=BULK, json=said)
    except (BadCredentials, RateLimited):
        raise
    except Refused:
        alone = [await _one(access, thread) for thread in threads]
        return {id_: why for each in alone for id_, why in each.items()}
    except ConnectorError as fault:
        return {thread.id: str(fault) for thread in threads}
    return undone(answer.body, threads)


def undone(raw: bytes, threads: Sequence[Thread]) -> dict[str, str]:
    """Which of *threads* the answer *raw* does not say to be done, and why."""
    try:
        found = {one.id: one.status or "" for one in Updates.model_validate_json(raw).updates}
    except ValidationError:
        found = {}
    return {
        thread.id: _why(found.get(thread.id))
        for thread in threads
        if (found.get(thread.id) or "").upper() not in DONE
    }


def _why(status: str | None) -> str:
    return f"{BULK}: eBay {'does not say that it was done' if status is None else 'did not do it'}"


def _named(thread: Thread) -> dict[str, str]:
    return {
        "conversationId": thread.id,
        "conversationType": thread.reply_to.get(TYPE, MEMBERS),
    }
