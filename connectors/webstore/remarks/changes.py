"""A walk through a shop's orders by the date of their change, and where it stands. Pure.

It goes by the date, not by page: an order that changes under it moves to the end, and would push
another one back to a page that was read already. What is said about an order need not change it:
orders whose buyer still waits are remembered, and are read again though nobody says that they
changed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from core.errors import BadPayload
from core.payload import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from core.model import Page

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

MOST_PAGES = 40
"""So many pages of orders that all changed in one second."""
MOST_SEEN = 2000
MOST_WAITING = 500
"""So many orders are remembered whose buyer waits: those that were placed last."""
AGAIN = 20
"""So many of them a walk reads again, in turn."""


class Change(NamedTuple):
    """An order of a list: when it changed, None where that cannot be read."""

    id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """*since*: until then all changes are read; *seen*: orders of the overlap, by their change.

    *waiting*: orders whose buyer waits, with when they were placed, in the order of reading.
    """

    since: str
    seen: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str | None) -> Cursor | None:
        """What `write` wrote; None before the first walk."""
        return None if cursor is None else cls(**json.loads(cursor))

    def write(self) -> str:
        """As text: dates and numbers of orders."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Walk:
    """The position of a walk: changes *since* come next, and of these the *page*.

    *until*: until then all were asked for by page, which is done once more, backwards; None while
    that is not so. *ends*: nothing comes behind it.
    """

    since: str
    page: int = 1
    seen: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    until: str | None = None
    ends: bool = False

    @classmethod
    def read(cls, position: str) -> Walk:
        """What `write` wrote."""
        return cls(**json.loads(position))

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))

    def from_instant(self, now: datetime) -> datetime:
        """The instant after which changes are asked for, one second earlier than they are wanted.

        Shops take *after* to the letter, and changes of the same second may still come.
        """
        return _since(self, now) - SECOND

    def is_new(self, one: Change) -> bool:
        """Whether *one* changed since it was read."""
        return self.seen.get(one.id) != _text(one.at)

    def to_look_at(self) -> tuple[str, ...]:
        """The orders whose buyer waits that are read again now."""
        return tuple(self.waiting)[:AGAIN]

    def with_read(self, read: Mapping[str, datetime | None], gone: Iterable[str] = ()) -> Walk:
        """The walk after some orders were *read*, by when each was placed whose buyer waits.

        None: nobody waits there. Those that were read go behind the others; those that are *gone*
        are forgotten.
        """
        left = {name: at for name, at in self.waiting.items() if name not in {*read, *gone}}
        told = {name: at.isoformat() for name, at in read.items() if at is not None}
        return replace(self, waiting=left | told)


@dataclass(frozen=True, slots=True)
class Steps:
    """How far the first walk goes back, and how far each later one reads again."""

    look_back: timedelta
    overlap: timedelta

    def begin(self, cursor: str | None, now: datetime) -> Walk:
        """The walk that goes on from *cursor*."""
        before = Cursor.read(cursor)
        since = instant(before.since) if before else None
        if before is None or since is None:
            return Walk((now - self.look_back).isoformat())
        back = (since - self.overlap).isoformat()
        return Walk(back, seen=before.seen, waiting=before.waiting)

    def onward(
        self, page: Page, walk: Walk, came: Sequence[Change], now: datetime, *, is_last: bool
    ) -> Page:
        """*page*, of the orders that *came*, with where the walk stands after it.

        Raises:
            BadPayload: the walk does not go on.
        """
        last = max([_since(walk, now), *(one.at for one in came if one.at and one.at <= now)])
        read = replace(walk, seen=walk.seen | _settled(came, now))
        onward = _onward(read, last, now, is_last=is_last)
        cursor = self._cursor(onward, now).write()
        if onward.ends and onward.until is None:
            return replace(page, cursor=cursor)
        return replace(page, cursor=cursor, position=onward.write(), more=True)

    def _cursor(self, walk: Walk, now: datetime) -> Cursor:
        near = _later(walk.seen, _since(walk, now) - self.overlap)
        kept = _later(walk.waiting, now - self.look_back)
        newest = set(sorted(kept, key=kept.__getitem__)[-MOST_WAITING:])
        return Cursor(
            walk.since,
            dict(list(near.items())[-MOST_SEEN:]),
            {name: at for name, at in kept.items() if name in newest},
        )


def _onward(walk: Walk, last: datetime, now: datetime, *, is_last: bool) -> Walk:
    """Where *walk* goes on after a page whose last change is *last*.

    It begins there; where all changed in one second, with the next page of that second. Whatever
    leaves such a second meanwhile moves the others forward, to a page that was read already: from
    its last page the second is read backwards, towards them.

    Raises:
        BadPayload: the second does not end.
    """
    if walk.until is not None:
        return _back(walk, walk.until)
    if is_last or last > _since(walk, now):
        until = last.isoformat()
        return _back(replace(walk, until=until, ends=is_last), until)
    if walk.page >= MOST_PAGES:
        raise BadPayload("orders: the walk does not go on", detail="endless")
    return replace(walk, page=walk.page + 1)


def _back(walk: Walk, until: str) -> Walk:
    """The page before; before the first one, what comes after *until*."""
    if walk.page > 1:
        return replace(walk, page=walk.page - 1)
    return replace(walk, since=until, until=None)


def _since(walk: Walk, now: datetime) -> datetime:
    return instant(walk.since) or now


def _later(dated: dict[str, str], edge: datetime) -> dict[str, str]:
    return {
        name: told
        for name, told in dated.items()
        if (at := instant(told)) is not None and at >= edge
    }


def _settled(came: Sequence[Change], now: datetime) -> dict[str, str]:
    """What need not be read again before it changes; the last minute may not be over."""
    return {one.id: _text(one.at) for one in came if one.at and one.at < now - MINUTE}


def _text(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
