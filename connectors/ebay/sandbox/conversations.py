"""A seller's conversations. A mailbox may hold hundreds of thousands: the old ones are counted.

An order of eight bytes a conversation is kept for each of the two types; conversations that `fill`
put there are made when they are looked at.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connectors.ebay.sandbox.market import Member, Numbers

Type = Literal["FROM_MEMBERS", "FROM_EBAY"]
Status = Literal["ACTIVE", "ARCHIVE", "DELETE"]
Which = Literal["ACTIVE", "ARCHIVE", "DELETE", "READ", "UNREAD"]

BITS = 22
MOST = (1 << BITS) - 1
"""Of a key in the order: the conversation's number; what is above are milliseconds of UTC."""

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Media(NamedTuple):
    """A file of a message, somewhere else."""

    name: str
    type: str
    url: str


@dataclass(slots=True)
class Message:
    """Something written; *is_read* by whom it was sent to."""

    id: str
    at: datetime
    sender: Member
    recipient: Member
    subject: str
    body: str
    media: tuple[Media, ...] = ()
    is_read: bool = False


@dataclass(slots=True)
class Conversation:
    """What two members, or eBay and one, wrote to each other, oldest first.

    *item* is the listing it is about, empty where it is about none.
    """

    number: int
    type: Type
    title: str
    other: Member
    owner: Member
    created_at: datetime
    item: str = ""
    status: Status = "ACTIVE"
    messages: list[Message] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.number)

    @property
    def latest(self) -> Message:
        return self.messages[-1]

    @property
    def unread(self) -> int:
        """How many messages to the seller nobody has read."""
        return sum(one.recipient is self.owner and not one.is_read for one in self.messages)

    def is_waiting(self) -> bool:
        """Whether the last word is the other's."""
        return self.latest.sender is self.other

    def mark(self, *, is_read: bool) -> None:
        """Read or unread, all that was written to the seller."""
        for one in self.messages:
            if one.recipient is self.owner:
                one.is_read = is_read


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations a list is to hold; what is None or empty says nothing.

    A message counts that was sent after *since* and before *until*.
    """

    since: datetime | None = None
    until: datetime | None = None
    other: Member | None = None
    item: str = ""
    status: Which | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether it asks for less than everything."""
        return bool(self.since or self.until or self.other or self.item)

    def fits(self, one: Conversation) -> bool:
        """Whether *one* is asked for."""
        return (
            (self.other is None or one.other is self.other)
            and (not self.item or one.item == self.item)
            and (self.status is None or self._has_status(one))
            and (self.until is None or any(self._is_within(m.at) for m in one.messages))
        )

    def _has_status(self, one: Conversation) -> bool:
        if self.status in ("READ", "UNREAD"):
            return (one.unread > 0) == (self.status == "UNREAD")
        return one.status == self.status

    def _is_within(self, at: datetime) -> bool:
        return (self.since is None or at > self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Bulk:
    """*count* old conversations of one message each, evenly from *oldest* to *newest*."""

    first: int
    first_message: int
    count: int
    oldest: datetime
    step: timedelta
    others: Sequence[Member]

    def at(self, number: int) -> datetime:
        return self.oldest + self.step * (number - self.first)

    def made(self, number: int, owner: Member) -> Conversation:
        """The conversation of that number, answered by nobody and read."""
        place = number - self.first
        other, at = self.others[place % len(self.others)], self.at(number)
        said = Message(
            str(self.first_message + place), at, other, owner, "", "An old question.", is_read=True
        )
        return Conversation(
            number, "FROM_MEMBERS", "An old question", other, owner, at, messages=[said]
        )


def _orders() -> dict[Type, array[int]]:
    return {"FROM_MEMBERS": array("q"), "FROM_EBAY": array("q")}


@dataclass(slots=True)
class Mailbox:
    """The conversations of *owner*; it numbers them, and what is written in them, by *numbers*.

    *stuck*: ids of conversations of which bulk updates fail.
    """

    owner: Member
    numbers: Numbers
    on_message: Callable[[Conversation, Message], None] = lambda *_: None
    live: dict[int, Conversation] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    _orders: dict[Type, array[int]] = field(default_factory=_orders)
    _bulks: list[Bulk] = field(default_factory=list)
    _gone: set[int] = field(default_factory=set)

    def count(self, type_: Type) -> int:
        """How many conversations of this type there are."""
        return len(self._orders[type_])

    def find(self, name: str) -> Conversation | None:
        """The conversation of this id; from now on it is kept."""
        number = int(name) if name.isascii() and name.isdigit() else -1
        found = self._seen(number)
        if found is not None:
            self.live[number] = found
        return found

    def open(
        self,
        other: Member,
        title: str,
        at: datetime,
        *,
        item: str = "",
        type_: Type = "FROM_MEMBERS",
    ) -> Conversation:
        """A conversation in which nobody has written yet: it is not shown before."""
        made = Conversation(
            self.numbers.take("conversation"), type_, title, other, self.owner, at, item
        )
        self.live[made.number] = made
        return made

    def between(self, other: Member, item: str) -> Conversation | None:
        """The conversation with *other* about *item*, in which a new message would stand."""
        known = (one for one in self.live.values() if one.other is other and one.item == item)
        return next(known, None)

    def write(
        self,
        conversation: Conversation,
        sender: Member,
        body: str,
        at: datetime,
        *,
        media: Sequence[Media] = (),
        is_read: bool = False,
    ) -> Message:
        """*sender*, of the two, writes; what is written earlier than others stands before them."""
        is_own = sender is self.owner
        recipient = conversation.other if is_own else self.owner
        said = Message(
            str(self.numbers.take("message")),
            at,
            sender,
            recipient,
            conversation.title,
            body,
            tuple(media),
            is_read,
        )
        self._unplace(conversation)
        insort(conversation.messages, said, key=lambda one: one.at)
        self._place(conversation)
        self.on_message(conversation, said)
        return said

    def fill(
        self, count: int, oldest: datetime, newest: datetime, others: Sequence[Member]
    ) -> Bulk:
        """Put so many old conversations with *others* there, evenly between two instants."""
        step = (newest - oldest) / max(count - 1, 1) // MILLISECOND * MILLISECOND
        first = self.numbers.take("conversation", count)
        first_message = self.numbers.take("message", count)
        bulk = Bulk(first, first_message, count, oldest, step, others)
        self._bulks.append(bulk)
        keys = [self._key(bulk.at(number), number) for number in range(first, first + count)]
        order = self._orders["FROM_MEMBERS"]
        self._orders["FROM_MEMBERS"] = array("q", sorted([*order, *keys]))
        return bulk

    def forget(self, conversation: Conversation) -> None:
        """It is no longer shown; one that is unknown is no fault."""
        if self.live.pop(conversation.number, None) is not None:
            self._unplace(conversation)
            self._gone.add(conversation.number)

    def listed(
        self, type_: Type, wanted: Wanted, limit: int, offset: int
    ) -> tuple[int, list[Conversation]]:
        """How many there are, and one page of them: the newest message first."""
        order = self._orders[type_]
        begin = 0
        if wanted.since is not None:
            begin = bisect_right(order, _key(wanted.since, MOST))
        if wanted.other or wanted.item or wanted.status or wanted.until:
            found = [one for one in self._newest(order, begin) if wanted.fits(one)]
            return len(found), found[offset : offset + limit]
        end = max(len(order) - offset, begin)
        page = order[max(end - limit, begin) : end]
        return len(order) - begin, [self._at(key) for key in reversed(page)]

    def _newest(self, order: array[int], begin: int) -> Iterator[Conversation]:
        for place in range(len(order) - 1, begin - 1, -1):
            yield self._at(order[place])

    def _at(self, key: int) -> Conversation:
        found = self._seen((key & MOST) + self.numbers.left_out)
        if found is None:
            raise LookupError(key)
        return found

    def _seen(self, number: int) -> Conversation | None:
        known = self.live.get(number)
        if known is not None or number in self._gone:
            return known
        bulk = next((b for b in self._bulks if b.first <= number < b.first + b.count), None)
        return bulk.made(number, self.owner) if bulk else None

    def _key(self, at: datetime, number: int) -> int:
        return _key(at, number - self.numbers.left_out)

    def _place(self, one: Conversation) -> None:
        insort(self._orders[one.type], self._key(one.latest.at, one.number))

    def _unplace(self, one: Conversation) -> None:
        if not one.messages:
            return
        order, key = self._orders[one.type], self._key(one.latest.at, one.number)
        place = bisect_left(order, key)
        if place < len(order) and order[place] == key:
            del order[place]


def _key(at: datetime, number: int) -> int:
    return (at - EPOCH) // MILLISECOND << BITS | number
