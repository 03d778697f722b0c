"""What became of a page, as those who count it are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sla.policy import Party

if TYPE_CHECKING:
    from datetime import datetime

    from core.arrival.news import News
    from core.model import ClockRow, SetAside
    from core.store.clocks import Put

_BUYER, _SELLER = Party.BUYER, Party.SELLER
PROMPT = timedelta(seconds=10)
"""A buyer's message that is younger may still be pushed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a page.

    *received* and *sent* are messages new to us, from the buyer or the marketplace and from the
    seller; *delays* the seconds from the marketplace's instant of a new one to its storing, since
    the account is monitored. *aside* is what was refused; *set_aside* counts what was not set
    aside before. *replied* are clocks that a reply ended just now. *overdue* are those of
    *received* that a push had time to bring, where there are pushes. *acknowledged* are words of
    `core.labels.ACKNOWLEDGED`.
    """

    received: int = 0
    sent: int = 0
    changed: int = 0
    repeated: int = 0
    set_aside: int = 0
    delays: tuple[float, ...] = ()
    aside: tuple[SetAside, ...] = ()
    replied: tuple[ClockRow, ...] = ()
    overdue: int = 0
    acknowledged: tuple[str, ...] = ()

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            self.received + other.received,
            self.sent + other.sent,
            self.changed + other.changed,
            self.repeated + other.repeated,
            self.set_aside + other.set_aside,
            self.delays + other.delays,
            self.aside + other.aside,
            self.replied + other.replied,
            self.overdue + other.overdue,
            self.acknowledged + other.acknowledged,
        )


def counted(found: News, put: Put, since: datetime, now: datetime) -> Stored:
    """What *found* came to, of an account that is monitored *since* an instant."""
    new = [message for _, _, _, message in found.new.values()]
    sent = sum([message.party is _SELLER for message in new])
    instants = [at for message in new if (at := message.sent_at) is not None and at >= since]
    delays = tuple([(now - at).total_seconds() if at < now else 0.0 for at in instants])
    overdue = [m for m in new if m.party is _BUYER and since <= (m.sent_at or now) < now - PROMPT]
    return Stored(
        received=len(new) - sent,
        sent=sent,
        changed=len(found.changed),
        repeated=found.repeated,
        delays=delays,
        replied=put.replied,
        overdue=len(overdue),
    )
