"""A walk through the conversations, those with the last activity first, and a look at single ones.

What is new moves its conversation to the front. So a walk reads the list until what lies before its
cursor and an overlap, and asks for messages of those conversations alone of which the list tells
something new.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from connectors.webstore.chatwoot import mapping
from connectors.webstore.chatwoot.mapping import Read
from core.errors import BadPayload, Unreachable
from core.model import SetAside
from core.payload import instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.chatwoot.api import Api
    from connectors.webstore.chatwoot.options import ChatwootOptions
    from connectors.webstore.chatwoot.payload import Conversation, Entry, Listed
    from core.errors import ConnectorError
    from core.model import Page

AT_ONCE, MANY = 20, 100
"""So many messages come at once: the last ones, or those before one; and those after one."""

MOST_BACK = 50
MOST_AHEAD = 50
"""So many calls for the messages of one conversation: the rest is flagged as missing."""

MOST_PAGES = 4000
MOST_AGAIN = 3
"""So often a walk begins anew where conversations were deleted under it."""

MOST_SEEN = 2000
"""So many conversations a cursor remembers; of others messages are read once more."""

GONE = frozenset({"404", "410"})


@dataclass(frozen=True, slots=True)
class Cursor:
    """*since* is the newest activity of the last walk, by Chatwoot's clock.

    *seen* is what the list told then (`mapping.mark`) of those that the overlap shows again.
    *first* is how far the first walk went: of what slept since before nothing was ever read.
    """

    since: datetime
    seen: dict[str, str]
    first: datetime | None = None

    @classmethod
    def read(cls, cursor: str | None) -> Cursor | None:
        """What `write` wrote; None before the first walk."""
        if cursor is None:
            return None
        told = json.loads(cursor)
        since = instant(told["since"])
        return None if since is None else cls(since, told["seen"], instant(told.get("first")))

    def write(self) -> str:
        """As text: numbers, a date and words of Chatwoot's."""
        told = {"since": self.since.isoformat(), "seen": self.seen, "first": _text(self.first)}
        return json.dumps(told)


@dataclass(frozen=True, slots=True)
class Walk:
    """The position of a walk: the next *page*; *came* so many conversations of *total* so far.

    *newest* is the newest activity so far, *seen* what is kept for the cursor: by conversation its
    mark and its activity.
    """

    page: int = 1
    came: int = 0
    total: int | None = None
    newest: str | None = None
    again: int = 0
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, position: str | None) -> Walk:
        """What `write` wrote; the begin of a walk for None."""
        return cls(**json.loads(position)) if position else cls()

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))


class Reading:
    """Reads one account's conversations."""

    def __init__(self, api: Api, options: ChatwootOptions) -> None:
        self._api, self._options = api, options

    async def fetch(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        """One page of the list, with the messages of what is new on it."""
        before, walk = Cursor.read(cursor), Walk.read(position)
        begin = before.since if before else now - self._options.look_back
        horizon = begin - self._options.overlap if before else begin
        reach = _Reach(horizon, before.first) if before else _Reach()
        got = await self._api.conversations(walk.page)
        listed = got.value.data
        known = before.seen if before else {}
        new = [one for one in listed.payload if _is_new(one, horizon, known)]
        found = _Found(list(got.aside))
        for one in new:
            await self._keep(one, reach, found)
        page = mapping.page(found.read, self._options, now)
        page = replace(page, set_aside=(*found.aside, *page.set_aside))
        onward = self._onward(walk, listed, found.failed, now)
        if _goes_on(walk, onward, listed, horizon):
            return replace(page, position=onward.write(), more=True)
        first = before.first if before else begin
        return replace(page, cursor=self._cursor(onward, begin, first, now))

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These conversations with all their messages; unknown ones are left out."""
        found = _Found()
        for thread in threads:
            if thread.isascii() and thread.isdigit():
                await self._look(thread, found)
        page = mapping.page(found.read, self._options, now)
        return replace(page, set_aside=(*found.aside, *page.set_aside))

    async def _look(self, thread: str, found: _Found) -> None:
        try:
            got = await self._api.conversation(thread)
            if got.value.id != thread or not self._options.reads(got.value.inbox_id):
                return
            found.aside += got.aside
            found.read.append(await self._ahead(got.value, found))
        except BadPayload as fault:
            if fault.detail not in GONE:
                found.aside.append(SetAside(thread, str(fault), fault.raw))

    async def _keep(self, one: Conversation, reach: _Reach, found: _Found) -> None:
        """Its messages within *reach*; where that fails its last one, to be looked at again.

        An error of one conversation does not cost its neighbours, one of the line does.
        """
        try:
            found.read.append(await self._back(one, reach, found))
        except BadPayload as fault:
            found.keep_incomplete(one, fault)
        except Unreachable as fault:
            if not fault.detail.isdigit():
                raise
            found.keep_incomplete(one, fault)

    async def _back(self, one: Conversation, reach: _Reach, found: _Found) -> Read:
        """The last messages, and those before them as far as *reach* goes."""
        entries: list[Entry] = []
        edge: dict[str, str] = {}
        for _ in range(MOST_BACK):
            got = await self._api.messages(one.id, **edge)
            found.aside += got.aside
            came = got.value.payload
            entries[:0] = came
            if len(came) + len(got.aside) < AT_ONCE or reach.ends_in(came):
                return Read(one, tuple(entries))
            first = min(came, key=_number).id
            if edge and int(first) >= int(edge["before"]):
                break
            edge = {"before": first}
        return Read(one, tuple(entries), incomplete=True)

    async def _ahead(self, one: Conversation, found: _Found) -> Read:
        """All its messages, from the first."""
        entries: list[Entry] = []
        after = "0"
        for _ in range(MOST_AHEAD):
            got = await self._api.messages(one.id, after=after)
            found.aside += got.aside
            came = got.value.payload
            entries += came
            if len(came) + len(got.aside) < MANY:
                return Read(one, tuple(entries))
            last = max(came, key=_number).id if came else after
            if int(last) <= int(after):
                break
            after = last
        return Read(one, tuple(entries), incomplete=True)

    def _onward(self, walk: Walk, listed: Listed, failed: set[str], now: datetime) -> Walk:
        """Where the walk stands after this page.

        Whatever was deleted meanwhile has moved what comes next to a page that was read already:
        then the walk begins anew.

        Raises:
            BadPayload: it does not end.
        """
        total = listed.meta.all_count
        is_shorter = None not in {total, walk.total} and (total or 0) < (walk.total or 0)
        if walk.page >= MOST_PAGES:
            raise BadPayload("conversations: the walk does not end")
        came = {one.id: (mapping.mark(one), mapping.active_at(one)) for one in listed.payload}
        told = [instant(walk.newest), *(active for _, active in came.values())]
        newest = max((one for one in told if one), default=None)
        marks = {
            name: (mark, (active or now).isoformat())
            for name, (mark, active) in came.items()
            if name not in failed
        }
        seen = self._kept({**walk.seen, **marks}, newest)
        if is_shorter and walk.again < MOST_AGAIN:
            return Walk(1, 0, None, _text(newest), walk.again + 1, seen)
        return Walk(walk.page + 1, walk.came + len(came), total, _text(newest), walk.again, seen)

    def _kept(
        self, seen: dict[str, tuple[str, str]], newest: datetime | None
    ) -> dict[str, tuple[str, str]]:
        """What the next walk may meet again."""
        if newest is None:
            return {}
        edge = (newest - self._options.overlap).isoformat()
        near = {name: one for name, one in seen.items() if one[1] >= edge}
        newest_first = sorted(near, key=lambda name: near[name][1], reverse=True)
        return {name: near[name] for name in newest_first[:MOST_SEEN]}

    def _cursor(self, walk: Walk, begin: datetime, first: datetime | None, now: datetime) -> str:
        """The newest activity, never later than the walk's begin.

        What changes during a walk moves to the front, behind us.
        """
        since = max(begin, min(instant(walk.newest) or begin, now))
        return Cursor(since, {name: told for name, (told, _) in walk.seen.items()}, first).write()


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far a conversation is read back: to *horizon* (None: to its first message).

    And to the first one too where it slept since before *first*: nothing of it was ever read.
    """

    horizon: datetime | None = None
    first: datetime | None = None

    def ends_in(self, came: Sequence[Entry]) -> bool:
        """Whether what lies before *came* was read long ago."""
        if self.horizon is None or not came:
            return not came
        written = [at for one in came if (at := mapping.at(one.created_at))]
        before = [at for at in written if at < self.horizon]
        return bool(before) and (self.first is None or max(before) >= self.first)


@dataclass(slots=True)
class _Found:
    """Conversations on their way to a page; *failed* are to be read again."""

    aside: list[SetAside] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)

    def keep_incomplete(self, one: Conversation, fault: ConnectorError) -> None:
        if isinstance(fault, BadPayload) and fault.detail not in GONE:
            self.aside.append(SetAside(one.id, str(fault), fault.raw))
        self.read.append(Read(one, tuple(one.messages or ()), incomplete=True))
        self.failed.add(one.id)


def _is_new(one: Conversation, horizon: datetime, known: dict[str, str]) -> bool:
    active = mapping.active_at(one)
    return (active is None or active >= horizon) and mapping.mark(one) != known.get(one.id)


def _goes_on(walk: Walk, onward: Walk, listed: Listed, horizon: datetime) -> bool:
    """Whether another page may hold something that lies after *horizon*."""
    if onward.again > walk.again:
        return True
    if not listed.payload or (onward.total is not None and onward.came >= onward.total):
        return False
    actives = [active for one in listed.payload if (active := mapping.active_at(one))]
    return not actives or min(actives) >= horizon


def _number(entry: Entry) -> int:
    return int(entry.id)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
