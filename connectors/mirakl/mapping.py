"""Mirakl's threads to our words. Pure: all knowledge of what its fields mean for a clock is here.

What is unknown is open: a sender or a mark of a type that nobody documented never ends a waiting,
and is counted as set aside so that a person looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from core.model import MAX_LINE, Attachment, Message, Page, Thread
from core.payload import instant
from core.transport import salvage
from sla.clock import Delivery, Given, Kind, Level
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel

    from connectors.mirakl.payload import Click, Entry, File, Participant, ThreadPayload
    from core.model import SetAside

SENDERS = {
    "CUSTOMER_USER": Party.BUYER,
    "SHOP_USER": Party.SELLER,
    "OPERATOR_USER": Party.MARKETPLACE,
}
PARTIES = {"CUSTOMER": Party.BUYER, "SHOP": Party.SELLER, "OPERATOR": Party.MARKETPLACE}
CLICKERS = {"SHOP": Party.SELLER, "OPERATOR": Party.MARKETPLACE}
ORDERS = frozenset({"MMP_ORDER", "MPS_ORDER"})

# A stamp further ahead than this is no stamp: it would freeze what it dates for ever.
LEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """How things are shown to people: labels of reasons by code, where a thread's page is."""

    base_url: str
    thread_url: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def link(self, thread: str | None, order: str | None) -> str | None:
        """The page of a thread, else of its order, else of the shop."""
        if self.thread_url and thread:
            url = self.thread_url.format(thread=_quoted(thread), order=_quoted(order or ""))
        elif order:
            url = f"{self.base_url}/mmp/shop/order/{_quoted(order)}"
        else:
            url = f"{self.base_url}/mmp/shop/home"
        return url if len(url) <= MAX_LINE else None

    def reason(self, code: str) -> str:
        """The label of a reason, else its code."""
        return cut(self.labels.get(code) or code)


@dataclass(slots=True)
class Doubts:
    """What was read but means something that is not documented: counted, never dropped."""

    found: list[SetAside] = field(default_factory=list)

    def add(self, source_id: str, reason: str, item: BaseModel, *, within: str = "") -> None:
        """Keep *item* aside, although the rest of it counts; one without an id by its digest."""
        content = item.model_dump(by_alias=True)
        self.found.append(salvage.set_aside(source_id, reason, content, within=within))


def page(
    threads: Iterable[ThreadPayload],
    shown: Shown,
    now: datetime,
    incomplete: frozenset[str] = frozenset(),
) -> Page:
    """These threads as a page without a cursor.

    Of a thread that comes twice the newest counts, and what messages only the other one has.
    *incomplete* are ids of threads of which the marketplace holds more than this.
    """
    newest: dict[str, ThreadPayload] = {}
    older: list[ThreadPayload] = []
    for one in threads:
        known = newest.setdefault(one.id, one)
        if known is one:
            continue
        is_newer = as_of(one, now) >= as_of(known, now)
        older.append(known if is_newer else one)
        if is_newer:
            newest[one.id] = one
    doubts = Doubts()
    messages = _of_all((*newest.values(), *reversed(older)), doubts)
    given = [(one.id, r) for one in newest.values() if (r := _reading(one, now, doubts))]
    return Page(
        messages=messages,
        threads=tuple(
            _thread(one, shown, now, incomplete=one.id in incomplete) for one in newest.values()
        ),
        given=tuple(given),
        set_aside=tuple(doubts.found),
    )


def as_of(thread: ThreadPayload, now: datetime) -> datetime:
    """When the marketplace said this: the thread's update, else the newest date in it, else now."""
    entries = [instant(entry.date_created) for entry in thread.messages or ()]
    return updated_at(thread, now) or max((at for at in entries if at and at <= now), default=now)


def updated_at(thread: ThreadPayload, now: datetime) -> datetime | None:
    """The thread's update; None where it is unreadable or cannot be."""
    at = instant(thread.date_updated)
    return at if at and at <= now + LEAD else None


def is_cut(thread: ThreadPayload, most: int) -> bool:
    """Whether the thread holds more than the messages that came; *most* come at once."""
    total, came = thread.metadata.total_count, len(thread.messages or ())
    return came >= most if total is None else total > came


def order_ids(thread: ThreadPayload) -> tuple[str, ...]:
    """The orders that the thread is about."""
    found = (one.id for one in thread.entities or () if one.type in ORDERS)
    return tuple(dict.fromkeys(one for one in found if one))


def cut(text: str) -> str:
    """*text* as long as a line may be."""
    return text[:MAX_LINE]


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _thread(one: ThreadPayload, shown: Shown, now: datetime, *, incomplete: bool) -> Thread:
    orders = order_ids(one)
    people = [*(one.current_participants or ()), *(one.authorized_participants or ())]
    return Thread(
        id=one.id,
        subject=_subject(one, shown),
        buyer=cut(_buyer(one, people)),
        order_ids=orders,
        url=shown.link(one.id, orders[0] if orders else None),
        as_of=as_of(one, now),
        incomplete=incomplete,
        reply_to=_reply_to(people),
    )


def _subject(one: ThreadPayload, shown: Shown) -> str | None:
    if one.topic is None or not one.topic.value:
        return None
    return (
        shown.reason(one.topic.value) if one.topic.type == "REASON_CODE" else cut(one.topic.value)
    )


def _buyer(one: ThreadPayload, people: Iterable[Participant]) -> str:
    names = [someone.display_name for someone in people if someone.type == "CUSTOMER"]
    wrote = [entry.sender for entry in one.messages or ()]
    names += [one.display_name for one in wrote if one.type == "CUSTOMER_USER"]
    return next((name for name in names if name), "")


def _reply_to(people: Iterable[Participant]) -> dict[str, str]:
    """Whom M12 may address: the id by type, empty for the operator, who has none."""
    found: dict[str, str] = {}
    for someone in people:
        if someone.type in PARTIES and someone.type != "SHOP":
            found.setdefault(someone.type, someone.id or "")
    return found


def _of_all(threads: Iterable[ThreadPayload], doubts: Doubts) -> tuple[Message, ...]:
    """The messages of *threads*, each once: as the first that has it tells it."""
    found: dict[str, Message] = {}
    for one in threads:
        for part, message in _messages(one, doubts):
            if found.setdefault(message.id, message).thread != one.id:
                doubts.add(message.id, "messages.id: in two threads", part)
    return tuple(found.values())


def _messages(one: ThreadPayload, doubts: Doubts) -> Iterable[tuple[BaseModel, Message]]:
    orders = order_ids(one)
    for entry in one.messages or ():
        yield entry, _message(entry, one.id, orders[0] if orders else None, doubts)
    for click in one.no_store_reply_needed or ():
        mark = _mark(click, one.id, doubts)
        if mark:
            yield click, mark


def _message(entry: Entry, thread: str, order: str | None, doubts: Doubts) -> Message:
    party, kind, to = _turn(entry, doubts)
    sent_at = instant(entry.date_created)
    if sent_at is None:
        doubts.add(entry.id, "messages.date_created: no date", entry)
    return Message(
        id=entry.id,
        thread=thread,
        party=party,
        kind=kind,
        to=to,
        delivery=Delivery.CONFIRMED if party is Party.SELLER else None,
        sent_at=sent_at,
        body=entry.body or "",
        order_id=order,
        attachments=tuple(_attachment(file) for file in entry.attachments or ()),
    )


def _turn(entry: Entry, doubts: Doubts) -> tuple[Party, Kind, frozenset[Party]]:
    """Who says what to whom: unknown senders wait as a buyer does, unknown recipients are nobody.

    What the operator writes to the buyer alone asks nothing of the shop: it is shown.
    """
    types = [one.type for one in entry.to or ()]
    to = frozenset(PARTIES[one] for one in types if one in PARTIES)
    if len(to) < len(set(types)):
        doubts.add(entry.id, "messages.to.type: unknown", entry)
    party = SENDERS.get(entry.sender.type or "")
    if party is None:
        doubts.add(entry.id, "messages.from.type: unknown", entry)
        return Party.BUYER, Kind.MESSAGE, to
    if party is Party.SELLER and not types:
        doubts.add(entry.id, "messages.to: nobody", entry)
    if party is Party.MARKETPLACE and to and Party.SELLER not in to:
        return party, Kind.SYSTEM, to
    return party, Kind.MESSAGE, to


def _attachment(file: File) -> Attachment:
    return Attachment(id=file.id, name=cut(file.name or ""), size=file.size)


def _mark(click: Click, thread: str, doubts: Doubts) -> Message | None:
    """The marketplace's own "no reply needed"; one that cannot be understood ends nothing."""
    at, party = instant(click.date), CLICKERS.get(click.user_type or "")
    if at is None or party is None:
        doubts.add("", "no_store_reply_needed: unknown", click, within=thread)
        return None
    return Message(
        id=f"{thread}/no-reply-needed/{at.isoformat()}/{click.user_type}",
        thread=thread,
        party=party,
        kind=Kind.NO_REPLY_NEEDED,
        level=Level.CONFIRMED,
        sent_at=at,
    )


def _reading(one: ThreadPayload, now: datetime, doubts: Doubts) -> Given | None:
    """Since when a reply is needed; None where the thread does not say, or not readably."""
    if "shop_reply_needed_since" not in one.metadata.model_fields_set:
        return None
    said = one.metadata.shop_reply_needed_since
    since = instant(said)
    if said is not None and since is None:
        doubts.add(one.id, "metadata.shop_reply_needed_since: no date", one.metadata)
        return None
    said_at = as_of(one, now)
    return Given(
        kind="message",
        act="",
        asks=since is not None,
        as_of=said_at,
        # Nothing can be read before it is said: the walk began at `now`, the answer came later.
        read_at=max(now, said_at),
        starts_at=since,
    )
