"""Whom an answer goes to, and what goes along. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore.chatwoot import offer
from connectors.webstore.chatwoot.payload import Complaint
from core.errors import Refused
from core.said import phrase
from core.transport.http import Part
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.model import Draft, Thread

CAN_REPLY, NO = "can_reply", "no"
"""How a thread's ``reply_to`` says that Chatwoot takes no answer."""

LONGEST_REASON = 200
SHUT = (
    "Chatwoot says that nothing can be written in this conversation now: the time in which its"
    " channel takes free answers is over; send a template from Chatwoot"
)


def refuses(_: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in a thread, whenever."""
    return (
        None
        if frozenset(to) == {Party.BUYER}
        else phrase("a chat has nobody to answer but the buyer")
    )


def is_shut(thread: Thread) -> bool:
    """Whether nothing could be written in it when it was read last; that may be old."""
    return thread.reply_to.get(CAN_REPLY) == NO


def check(thread: Thread, draft: Draft) -> None:
    """Refuse what Chatwoot would refuse, before anything leaves.

    Raises:
        Refused: it says why.
    """
    if why := refuses(thread, draft.to):
        raise Refused(why, detail="recipient")
    if not offer.SHORTEST <= len(draft.body) <= offer.LONGEST:
        raise Refused(
            f"a message has {offer.SHORTEST} to {offer.LONGEST} characters", detail="length"
        )
    if len(draft.files) > offer.MOST_FILES:
        raise Refused(f"a message takes {offer.MOST_FILES} files at most", detail="files")
    if any(file.url is not None for file in draft.files):
        raise Refused("Chatwoot takes files, not their addresses", detail="files")


def said(draft: Draft) -> bytes:
    """A message without files, as JSON."""
    content = {"content": draft.body, "message_type": "outgoing", "private": False}
    return json.dumps(content).encode()


def form(draft: Draft) -> list[Part]:
    """A message with its files."""
    words = {"content": draft.body, "message_type": "outgoing", "private": "false"}
    return [
        *(Part(name, text, "text/plain; charset=utf-8") for name, text in words.items()),
        *(Part("attachments[]", f.content, f.media_type, f.name) for f in draft.files),
    ]


def reason(raw: bytes, *hidden: str) -> str:
    """Chatwoot's words of refusal, unless they repeat what nobody else should read."""
    try:
        told = Complaint.model_validate_json(raw)
    except ValidationError:
        return ""
    text = " ".join((told.error or told.message or "").split())[:LONGEST_REASON]
    return "" if any(one in text or text in one for one in hidden if one and text) else text
