"""Incidents: states of order lines, shown as threads of their own. Pure.

Mirakl tells neither when an incident was opened nor until when it wants it solved, and one that is
closed is no longer listed: who was open is therefore part of the cursor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from connectors.mirakl.mapping import LEAD, Doubts, cut
from core.model import MAX_ID, Page, Thread
from core.payload import instant
from sla.clock import Given
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from connectors.mirakl.mapping import Shown
    from connectors.mirakl.payload import Line, Order

PREFIX = "incident:"
OPEN = "INCIDENT_OPEN"
ASKED = ""
"""In place of what the last reading was as of: somebody looks who does not know it."""

SETTLED = frozenset(
    {
        "STAGING", "WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING",
        "SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED", "REFUSED", "CANCELED", "INCIDENT_CLOSED",
        "WAITING_REFUND", "WAITING_REFUND_PAYMENT", "REFUNDED",
    }
)  # fmt: skip
"""The documented states of a line that is no open incident; any other one is open."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A cursor or a position: *open* maps threads to what their last reading was as of.

    *is_listed* says that the list is read to its end, and what it left out is still to be asked.
    """

    open: Mapping[str, str] = field(default_factory=dict)
    offset: int = 0
    is_listed: bool = False

    @classmethod
    def read(cls, text: str | None) -> Walk:
        """What `write` wrote; nothing open where there is none."""
        said = json.loads(text) if text else {}
        return cls(said.get("open", {}), said.get("offset", 0), said.get("listed", False))

    def write(self) -> str:
        """As text, the same for the same state."""
        said = {"open": dict(self.open), "offset": self.offset}
        return json.dumps(said | {"listed": True} if self.is_listed else said, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Found:
    """A page without a cursor, and the incidents in it that are open or closed."""

    page: Page
    open: Mapping[str, str]
    closed: frozenset[str]


def thread_id(order: str, line: str) -> str:
    """The id of an incident's thread: ``incident:<order>:<line>``."""
    return f"{PREFIX}{quote(order, safe='')}:{quote(line, safe='')}"


def order_of(thread: str) -> str | None:
    """The order of an incident's thread; None for any other thread."""
    if not thread.startswith(PREFIX):
        return None
    return unquote(thread.removeprefix(PREFIX).partition(":")[0])


def found(orders: Iterable[Order], known: Mapping[str, str], shown: Shown, now: datetime) -> Found:
    """The incidents of these orders: those open, and those of *known* that are so no more.

    One of *known* as `ASKED` that still asks without a date says nothing new.
    """
    doubts = Doubts()
    threads: dict[str, Thread] = {}
    given: dict[str, Given] = {}
    silent: set[str] = set()
    having: set[str] = set()
    for order in orders:
        for line in order.order_lines or ():
            name = thread_id(order.order_id, line.order_line_id)
            asks = _asks(order, line, doubts, known=name in known)
            if asks is None or _is_too_long(name, line, doubts):
                continue
            having.add(order.order_id)
            given[name] = _reading(line, known.get(name), now, asks=asks)
            threads[name] = _thread(name, order, line, given[name], shown)
            if asks and known.get(name) == ASKED and _dated(line, now) is None:
                silent.add(name)
        if order.has_incident and order.order_id not in having:
            doubts.add(order.order_id, "has_incident: no line has one", order)
    page = Page(
        threads=tuple(threads.values()),
        given=tuple((name, one) for name, one in given.items() if name not in silent),
        set_aside=tuple(doubts.found),
    )
    still = {name: one.as_of.isoformat() for name, one in given.items() if one.asks}
    return Found(page, still, frozenset(given) - frozenset(still))


def _asks(order: Order, line: Line, doubts: Doubts, *, known: bool) -> bool | None:
    """Whether the line has an open incident; None where it never had one that we saw."""
    state = line.order_line_state
    if state == OPEN:
        return True
    if state in SETTLED or order.has_incident is False:
        return False if known else None
    if not known and not order.has_incident:
        return None
    doubts.add(order.order_id, "order_line_state: unknown", line)
    return True


def _is_too_long(name: str, line: Line, doubts: Doubts) -> bool:
    """Whether the thread cannot be called *name*: what is no ASCII takes up to nine letters."""
    if len(name) <= MAX_ID:
        return False
    doubts.add(line.order_line_id, "order_line_id: too long", line)
    return True


def _dated(line: Line, now: datetime) -> datetime | None:
    """The line's own date, where it has one that can be."""
    dated = instant(line.last_updated_date)
    return dated if dated and dated <= now + LEAD else None


def _reading(line: Line, before: str | None, now: datetime, *, asks: bool) -> Given:
    """The first reading that asks starts the waiting; the line's own date is no opening date.

    Without a date, one that still asks says what it said *before*, not that it opened just now.
    """
    earlier = instant(before)
    said_at = _dated(line, now) or (earlier if asks and earlier else now)
    if earlier:
        said_at = max(said_at, earlier)
    return Given(
        kind=ThreadKind.INCIDENT.value,
        act="",
        asks=asks,
        as_of=said_at,
        read_at=max(now, said_at),
        starts_at=said_at if asks else None,
        uncertain=True,
    )


def _thread(name: str, order: Order, line: Line, reading: Given, shown: Shown) -> Thread:
    who = order.customer
    code = line.order_line_state_reason_code or ""
    label = line.order_line_state_reason_label or shown.reason(code)
    return Thread(
        id=name,
        kind=ThreadKind.INCIDENT,
        subject=cut(label) or None,
        buyer=cut(" ".join(name for name in (who.firstname, who.lastname) if name)) if who else "",
        order_ids=(order.order_id,),
        url=shown.link(None, order.order_id),
        as_of=reading.as_of,
        closed_at=None if reading.asks else reading.as_of,
    )
