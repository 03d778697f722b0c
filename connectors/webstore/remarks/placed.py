"""An order on which its buyer remarked something: a thread with one message. Pure.

An order without a remark is nobody's question, and no thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore import contacts
from connectors.webstore.remarks import text
from core.model import LONE, MAX_ID, MAX_LINE, Message, Thread
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from datetime import datetime

Turn = tuple[Kind, frozenset[Party]]
"""What is said, to whom."""

LEAD = timedelta(hours=1)
"""A stamp further ahead than this is none: it would freeze what it dates for ever."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as its shop tells it.

    *kind* is the word of the kind, *id* the shop's own, *number* that by which the buyer knows it;
    *remark* what the buyer wrote when placing it at *placed_at*. *name*, *mail* and *phone* are the
    buyer's as told: whatever names nobody is left out. *changed_at* is the date of the state.
    *language* is that in which the order was placed, where the shop keeps it.
    """

    kind: str
    id: str
    number: str
    remark: str = field(repr=False)
    placed_at: datetime | None
    changed_at: datetime | None
    name: str = field(default="", repr=False)
    mail: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    url: str | None = None
    language: str | None = None

    @property
    def is_remarked(self) -> bool:
        """Whether its buyer said anything."""
        return bool(self.remark.strip())

    @property
    def order_id(self) -> str:
        """The number by which its buyer knows it, if it can be kept; else the shop's id."""
        number = self.number.strip().removeprefix("#").replace("\0", "")
        return number if 0 < len(number) <= MAX_ID and not LONE.search(number) else self.id


def remark_id(order: str) -> str:
    """The id of what the buyer of *order* remarked: no note has such a one."""
    return f"order-{order}"


def remark(one: Placed) -> Message:
    """What the buyer said, as a message."""
    return Message(
        id=remark_id(one.id),
        thread=one.id,
        party=Party.BUYER,
        sent_at=one.placed_at,
        language=one.language,
        body=one.remark,
        order_id=one.order_id,
    )


def note(one: Placed, id_: str, turn: Turn, told: str, sent_at: datetime | None) -> Message:
    """What the shop noted about the order; *raw* where its markup shows as something else."""
    shown = text.plain(told)
    kind, to = turn
    return Message(
        id=id_,
        thread=one.id,
        party=Party.SELLER,
        kind=kind,
        to=to,
        delivery=Delivery.CONFIRMED,
        sent_at=sent_at,
        body=shown,
        order_id=one.order_id,
        raw=None if shown == told else told.encode("utf-8", "replace"),
    )


def thread(one: Placed, now: datetime) -> Thread:
    """The order as a thread; known elsewhere by its number, the address and the phone."""
    told = one.changed_at
    return Thread(
        id=one.id,
        kind=ThreadKind.MESSAGE,
        subject=f"#{one.order_id}"[:MAX_LINE],
        buyer=(one.name or one.mail or "")[:MAX_LINE],
        order_ids=(one.order_id,),
        url=one.url,
        as_of=now if told is None or told > now + LEAD else told,
        reply_to=_reply_to(one),
    )


def _reply_to(one: Placed) -> dict[str, str]:
    """Which kind it is of, and by what the buyer is known elsewhere."""
    found = {"kind": one.kind}
    if address := contacts.mail(one.mail):
        found["mail"] = address
    if number := contacts.phone(one.phone):
        found["phone"] = number
    return found
