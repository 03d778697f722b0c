"""Whether somebody else answered a thread since a writer looked at it. Pure.

What was seen is a short word that the form carries (`seen`): the newest answers, each as a few
letters of a hash. A reply from here is known by its number all its life, though its message changes
its id when it is read back.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sla.clock import Delivery, Kind, instant
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.store.replies import Reply
    from sla.turn import Turn

NEWEST = 40
"""So many answers are compared: one that comes now is among the newest."""
LETTERS = 8
ANSWERS = frozenset({Kind.MESSAGE, Kind.ANSWERED_ELSEWHERE})
NONE = "-"
"""What is seen of a thread without an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in a thread: from here under the number *reply*, or read at the marketplace.

    *by* is who wrote it here, None where nobody knows; *state* that of the reply, else `elsewhere`.
    """

    id: str
    at: datetime
    state: str
    by: str | None = None
    reply: int | None = None


def answers(turns: Iterable[Turn], replies: Iterable[Reply]) -> list[Answer]:
    """The answers of a thread that count, or may yet, newest first: none refused or taken back."""
    written = [reply for reply in replies if not reply.automatic]
    ours = {f"reply:{reply.id}" for reply in written}
    ours |= {reply.message_id for reply in written if reply.message_id is not None}
    found = [_ours(reply) for reply in written if reply.state not in ("refused", "undone")]
    found += [
        Answer(turn.id, instant(turn), "elsewhere")
        for turn in turns
        if turn.party is Party.SELLER
        and turn.kind in ANSWERS
        and turn.delivery is not Delivery.REFUSED
        and turn.id not in ours
    ]
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)


def _ours(reply: Reply) -> Answer:
    at = reply.left_at or reply.queued_at
    return Answer(f"reply:{reply.id}", at, reply.state, reply.written_by, reply.id)


def seen(found: Iterable[Answer]) -> str:
    """What is known by who sees these answers; `NONE` where there is none."""
    return "".join(_short(one) for one in list(found)[:NEWEST]) or NONE


def since(found: Iterable[Answer], known: str) -> Answer | None:
    """The newest of the answers of which *known*, as `seen` made it, says nothing."""
    short = {known[at : at + LETTERS] for at in range(0, len(known), LETTERS)}
    return next((one for one in list(found)[:NEWEST] if _short(one) not in short), None)


def _short(one: Answer) -> str:
    return urlsafe_b64encode(sha256(one.id.encode()).digest())[:LETTERS].decode()
