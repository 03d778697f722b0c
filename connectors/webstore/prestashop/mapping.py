"""PrestaShop's rows to our words. Pure: what its fields mean for a clock stands here.

What is unknown is open: it ends nothing, and is counted as set aside so that a person looks at it.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.webstore import contacts
from connectors.webstore.prestashop import local_time
from connectors.webstore.remarks import text
from core.model import MAX_LINE, Attachment, Message, Page, SetAside, Thread
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from connectors.webstore.prestashop.payload import Row, ThreadRow

KIND = "prestashop"
OPEN, CLOSED = "open", "closed"
STATUSES = frozenset({OPEN, CLOSED, "pending1", "pending2"})
BUYER = frozenset({Party.BUYER})

TOKEN = re.compile(r"[0-9A-Za-z]{1,40}")

_Turn = tuple[Party, Kind, frozenset[Party]]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: rows, the threads that they are of, and orders' references by their ids.

    *shop* is whose threads count, None: all.
    """

    rows: tuple[Row, ...]
    threads: Mapping[str, ThreadRow]
    references: Mapping[str, str]
    zone: ZoneInfo
    shop: int | None = None


@dataclass(slots=True)
class _Doubts:
    """What was read but means something that is not documented: counted, never dropped."""

    found: list[SetAside] = field(default_factory=list)

    def add(self, reason: str, row: Row | ThreadRow, within: str = "") -> None:
        self.found.append(salvage.set_aside(row.id, reason, row.model_dump(), within=within))


def page(read: Read, now: datetime) -> Page:
    """These rows as a page without a cursor."""
    doubts, messages = _Doubts(), dict[str, Message]()
    threads = {name: one for name, one in read.threads.items() if _is_ours(one, read.shop)}
    later: dict[str, datetime] = {}
    for row in sorted(read.rows, key=lambda one: int(one.id)):
        thread = threads.get(row.id_customer_thread)
        if thread is None:
            if row.id_customer_thread not in read.threads:
                doubts.add("id_customer_thread: there is no such thread", row)
            continue
        made = _message(row, later.get(thread.id), read, doubts)
        if made.sent_at is not None:
            later[thread.id] = max(made.sent_at, later.get(thread.id, made.sent_at))
        order = order_id(thread, read.references)
        messages[made.id] = made.model_copy(update={"order_id": order})
    for one in threads.values():
        messages |= {fact.id: fact for fact in _status(one, read.zone, doubts)}
    return Page(
        messages=tuple(messages.values()),
        threads=tuple(_thread(one, read, now) for one in threads.values()),
        set_aside=tuple(doubts.found),
    )


def message_id(number: str, date_add: str | None) -> str:
    """A message's id: its number, and when it was added.

    A number is given again where the newest rows were removed and the database was started anew.
    """
    written = local_time.wall(date_add)
    return number if written is None else f"{number}.{written:%Y%m%d%H%M%S}"


def order_id(thread: ThreadRow, references: Mapping[str, str]) -> str | None:
    """The reference by which the buyer knows the order."""
    return references.get(number_of(thread.id_order) or "")


def number_of(value: object) -> str | None:
    """An id in a field that holds 0 for none."""
    text = str(value) if type(value) in {int, str} else ""
    return text if text.isascii() and text.isdigit() and text.strip("0") else None


def _is_ours(thread: ThreadRow, shop: int | None) -> bool:
    """Whether it is of the shop that is read; one of which nobody says the shop is."""
    told = number_of(thread.id_shop)
    return shop is None or told is None or told == str(shop)


def _message(row: Row, after: datetime | None, read: Read, doubts: _Doubts) -> Message:
    party, kind, to = _turn(row, doubts)
    sent_at = local_time.instant(row.date_add, read.zone, after)
    if sent_at is None:
        doubts.add("date_add: no date", row)
    told = row.message or ""
    shown = text.plain(told)
    return Message(
        id=message_id(row.id, row.date_add),
        thread=row.id_customer_thread,
        party=party,
        kind=kind,
        to=to,
        delivery=Delivery.CONFIRMED if party is Party.SELLER else None,
        sent_at=sent_at,
        body=shown,
        attachments=_attachments(row),
        raw=None if shown == told else told.encode("utf-8", "replace"),
    )


def _turn(row: Row, doubts: _Doubts) -> _Turn:
    """Who says what to whom: 0 is the customer, and a private row is a note among the staff."""
    is_private = _flag(row.private)
    if number_of(row.id_employee) is None:
        if str(row.id_employee) != "0":
            doubts.add("id_employee: unknown", row)
        elif is_private is not False:
            doubts.add("private: said of a customer's message", row)
        return Party.BUYER, Kind.MESSAGE, frozenset()
    if is_private is None:
        doubts.add("private: unknown", row)
    if is_private is not False:
        return Party.SELLER, Kind.INTERNAL, frozenset()
    return Party.SELLER, Kind.MESSAGE, BUYER


def _flag(value: object) -> bool | None:
    return {"0": False, "1": True, "False": False, "True": True}.get(str(value))


def _attachments(row: Row) -> tuple[Attachment, ...]:
    """The file's name: the webservice hands its bytes to nobody."""
    name = row.file_name
    if not name or name == "0":
        return ()
    kind = mimetypes.guess_type(name)[0]
    return (Attachment(id=row.id, name=name[:MAX_LINE], media_type=kind),)


def _status(thread: ThreadRow, zone: ZoneInfo, doubts: _Doubts) -> Iterable[Message]:
    """What became of it in the back office: a fact to be shown, and no answer."""
    if thread.status not in STATUSES:
        doubts.add("status: unknown", thread)
    elif thread.status != OPEN:
        yield Message(
            id=f"{thread.id}/{message_id(str(thread.status), thread.date_upd)}",
            thread=thread.id,
            party=Party.MARKETPLACE,
            kind=Kind.SYSTEM,
            sent_at=local_time.instant(thread.date_upd, zone),
            body=f"status: {thread.status}",
        )


def _thread(one: ThreadRow, read: Read, now: datetime) -> Thread:
    order = order_id(one, read.references)
    changed = local_time.instant(one.date_upd, read.zone)
    return Thread(
        id=one.id,
        kind=ThreadKind.MESSAGE,
        buyer=(one.email or "")[:MAX_LINE],
        order_ids=() if order is None else (order,),
        as_of=now,
        closed_at=(changed or now) if one.status == CLOSED else None,
        reply_to=_reply_to(one),
    )


def _reply_to(thread: ThreadRow) -> dict[str, str]:
    """What answering needs; by its token the shop knows the buyer's mail again."""
    found = {"kind": KIND}
    if mail := contacts.mail(thread.email):
        found["mail"] = mail
    if TOKEN.fullmatch(thread.token or ""):
        found["token"] = thread.token or ""
    return found
