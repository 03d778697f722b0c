"""How far a walk of questions and letters has come, and what of it is new. Pure.

eBay's lists may lag: what was written hours ago shows up only now. So each walk reads again what
is at most `LATE` old, and one walk in `SWEEP` all of the last `SHOWN_WITHIN`. What was read and has
not changed since is remembered, so that looking again costs the lists alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from core.payload import instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.ebay.trading.payload import Exchange

PARTS = ("Unanswered", "Answered", "inbox", "sent")

LATE = timedelta(hours=6)
"""So late a message may show up, and be found by the next walk."""

SHOWN_WITHIN = timedelta(days=3)
SWEEP = timedelta(days=1)
"""How far back, and how often, is looked for what showed up later still. Letters sent are left out:
the exchanges of the same days show their answers, and letters cost a call for every ten."""

MOST_REMEMBERED = 2_000
"""What is beyond them is read again: exchanges first, of which the list alone tells most."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The cursor: *at* which instant the last walk began, when all was *swept*, what was *read*.

    These are the keys of what the last walk found: ids alone, no member is named.
    """

    at: datetime
    swept: datetime
    read: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, cursor: str | None) -> Mark | None:
        """What `write` wrote; None at the first walk, or where it cannot be read."""
        try:
            content = json.loads(cursor or "")
            at, swept = instant(content["at"]), instant(content["swept"])
            read = frozenset(map(str, content["read"]))
        except (ValueError, TypeError, KeyError):
            return None
        return cls(at, swept, read) if at and swept else None

    def write(self) -> str:
        """As text, the same for the same state."""
        said = {"at": self.at.isoformat(), "swept": self.swept.isoformat()}
        return json.dumps({**said, "read": sorted(self.read)})


@dataclass(frozen=True, slots=True)
class Walk:
    """The position: the part of a walk, its page, and since when each list is read.

    *since* is of the questions and the inbox, *sent_since* of the letters sent. *at* is when it
    began by eBay's clock. *told* are the questions that the lists of exchanges showed: their
    letters say nothing more. *read* are the keys of all that was found, *is_sweep* as it says.
    """

    since: datetime
    sent_since: datetime
    is_sweep: bool = False
    part: int = 0
    page: int = 1
    at: str = ""
    told: tuple[str, ...] = ()
    read: tuple[str, ...] = ()

    @classmethod
    def begun(
        cls, mark: Mark | None, look_back: timedelta, overlap: timedelta, now: datetime
    ) -> Walk:
        """A new walk: from *look_back* on at first, else from `LATE` before the last one."""
        if mark is None:
            return cls(now - look_back, now - look_back, is_sweep=True)
        since = min(mark.at, now) - max(overlap, LATE)
        if now - mark.swept < SWEEP:
            return cls(since, since)
        return cls(min(since, now - SHOWN_WITHIN), since, is_sweep=True)

    @classmethod
    def parse(cls, position: str) -> Walk:
        """What `write` wrote.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        content = json.loads(position)
        lists = {name: tuple(content[name]) for name in ("told", "read")}
        since = {name: instant(content[name]) for name in ("since", "sent_since")}
        return cls(**{**content, **lists, **since})

    def write(self) -> str:
        """As text; it never outlives its walk."""
        since = {name: getattr(self, name).isoformat() for name in ("since", "sent_since")}
        return json.dumps({**asdict(self), **since})

    def found(self, keys: Iterable[str]) -> Walk:
        """With these read, or known to be as they were."""
        return replace(self, read=(*self.read, *keys))

    def onward(self, *, more: bool) -> Walk:
        """The next page, or the first of the next part."""
        if more:
            return replace(self, page=self.page + 1)
        return replace(self, part=self.part + 1, page=1)

    def is_over(self, mark: Mark | None) -> bool:
        """Whether all parts are read; a first walk needs no letters sent: exchanges show all."""
        return self.part >= len(PARTS) or (mark is None and PARTS[self.part] == "sent")

    def ended(self, mark: Mark | None, now: datetime) -> Mark:
        """Where the next walk starts: where this one began, by eBay's clock, never ahead of ours.

        It does not go back, or a clock that is wrong would have the whole mailbox read again.
        """
        at = min(instant(self.at) or now, now)
        swept = at if mark is None or self.is_sweep else mark.swept
        at = max(at, min(mark.at, now)) if mark else at
        return Mark(at, swept, frozenset(self.read[-MOST_REMEMBERED:]))


def key(one: Exchange) -> str:
    """What is another for an exchange that was answered since."""
    return f"{one.question.id} {one.changed} {len(one.answers)}"
