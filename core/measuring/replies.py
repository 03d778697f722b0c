"""What became of replies: those from here, and answers given without us. From the tally."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import labels
from core.instruments import ACCOUNT
from core.measuring.sections import REPLIES
from core.measuring.written import Room, Seen

if TYPE_CHECKING:
    from core.measuring.written import Families

STATES = ("queued", "sending", "unknown")

ACCEPTED = REPLIES.family(
    "replies_accepted_total",
    "counter",
    ACCOUNT,
    "Replies from here that the marketplace took.",
)
REFUSED = REPLIES.family(
    "replies_refused_total",
    "counter",
    ACCOUNT,
    "Replies from here that were refused: at once, later, or given up.",
)
ELSEWHERE = REPLIES.family(
    "answers_elsewhere_total",
    "counter",
    ACCOUNT,
    "Answers at the marketplace that were not sent from here: read there, or told of by a person.",
)
OPEN = REPLIES.family("replies_open", "gauge", ("state",), "Our replies that are not settled.")


def _shown(seen: Seen) -> Families:
    counts, places = seen.snapshot.counts, seen.places.items()
    told = ((ACCEPTED, labels.ACCEPTED), (REFUSED, labels.REFUSED), (ELSEWHERE, labels.ELSEWHERE))
    for family, word in told:
        found = counts.get((labels.REPLY, word), {})
        yield family, [(place, found.get(account, 0)) for account, place in places]
    open_ = seen.snapshot.replies
    yield OPEN, [(f'state="{s}"', open_.get(s, 0)) for s in STATES]


ROOM = Room((ACCEPTED, REFUSED, ELSEWHERE, OPEN), _shown)
