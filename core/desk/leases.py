"""Until when a claim holds: a share of the time left, so that a deadline stays in sight. Pure.

Whoever claims a thread keeps others from it, and from being told of it. That must end early enough
for somebody else to answer in time: the claim is a lease, and comes back by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from core.configuration.board import Board


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a claim holds: *share* (0..1) of the time left, within *least* and *most*."""

    share: float = 0.25
    least: timedelta = timedelta(minutes=5)
    most: timedelta = timedelta(hours=4)


USUAL: Final = Terms()


def terms(board: Board) -> Terms:
    """As the settings say."""
    return Terms(board.claim_share, board.claim_least, board.claim_most)


def until(now: datetime, due_at: datetime | None, terms: Terms = USUAL) -> datetime:
    """When a claim made *now* ends, where the nearest running deadline is *due_at*.

    After the deadline, and where none runs (None), it holds for the least.
    """
    left = terms.least if due_at is None else (due_at - now) * terms.share
    return now + min(max(left, terms.least), terms.most)
