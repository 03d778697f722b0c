"""Whether anybody has written in a thread since somebody looked at it. Pure.

What was seen is a short word that the form carries (`seen`): the newest answers, and the newest
messages of those who are answered, each as a few letters of a hash. A reply from here is known by
its number all its life, though its message changes its id when it is read back.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sla.clock import Delivery, Kind, instant
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from core.store.messages import StoredTurn
    from core.store.replies import Reply

NEWEST = 40
"""So many answers, and so many messages, are compared: one that comes now is among the newest."""
LETTERS = 8
ANSWERS = frozenset({Kind.MESSAGE, Kind.ANSWERED_ELSEWHERE})
NONE = "-"
"""What is seen of a thread in which nobody has written."""


@dataclass(frozen=True, slots=True)
class Post:
    """What was written in a thread: an answer, or a message of who is answered.

    An answer from here has the number *reply*; others were read at the marketplace.
    *by* is who wrote it here, None where nobody knows. *state* is that of the reply, `elsewhere` of
    an answer that was read, and of a message its party: `buyer` or `marketplace`.
    """

    id: str
    at: datetime
    state: str
    by: str | None = None
    reply: int | None = None

    @property
    def asks(self) -> bool:
        """Whether it is a message of who is answered."""
        return self.state in _ASKING


_ASKING = frozenset({Party.BUYER.value, Party.MARKETPLACE.value})


def posts(turns: Sequence[StoredTurn], replies: Iterable[Reply]) -> list[Post]:
    """What counts of a thread when it is asked what somebody has seen, the newest first."""
    found = [*answers(turns, replies), *asked(turns)]
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)


def asked(turns: Iterable[StoredTurn]) -> list[Post]:
    """The newest messages of those who are answered: those that were stored last."""
    theirs = [t for t in turns if t.party is not Party.SELLER and t.kind is Kind.MESSAGE]
    theirs.sort(key=lambda turn: (turn.seen_at, turn.id), reverse=True)
    return [Post(t.id, instant(t), t.party.value) for t in theirs[:NEWEST]]


def answers(turns: Iterable[StoredTurn], replies: Iterable[Reply]) -> list[Post]:
    """The newest answers that count, or may yet, newest first: none refused or taken back."""
    written = [reply for reply in replies if not reply.automatic]
    ours = {f"reply:{reply.id}" for reply in written}
    ours |= {reply.message_id for reply in written if reply.message_id is not None}
    found = [_ours(reply) for reply in written if reply.state not in ("refused", "undone")]
    found += [
        Post(turn.id, instant(turn), "elsewhere")
        for turn in turns
        if turn.party is Party.SELLER
        and turn.kind in ANSWERS
        and turn.delivery is not Delivery.REFUSED
        and turn.id not in ours
    ]
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:NEWEST]


def _ours(reply: Reply) -> Post:
    at = reply.left_at or reply.queued_at
    return Post(f"reply:{reply.id}", at, reply.state, reply.written_by, reply.id)


def seen(found: Iterable[Post]) -> str:
    """What is known by who sees these; `NONE` where there is nothing."""
    return "".join(map(_short, found)) or NONE


def since(found: Iterable[Post], known: str) -> Post | None:
    """The first of these of which *known*, as `seen` made it, says nothing."""
    short = _shorts(known)
    return next((one for one in found if _short(one) not in short), None)


def also(known: str, found: Iterable[Post]) -> str:
    """*known*, as `seen` made it, and these besides."""
    before, short = "" if known == NONE else known, _shorts(known)
    return before + "".join(each for one in found if (each := _short(one)) not in short)


def _shorts(known: str) -> set[str]:
    return {known[at : at + LETTERS] for at in range(0, len(known), LETTERS)}


def _short(one: Post) -> str:
    return urlsafe_b64encode(sha256(one.id.encode()).digest())[:LETTERS].decode()
