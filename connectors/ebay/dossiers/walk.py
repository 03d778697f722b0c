"""Where a walk through the dossiers of one kind is, and what the next one has to know. Pure.

A dossier that was open is remembered until eBay says in a detail that it is over: neither an empty
page, nor an error, nor an unknown word ends it (trap 35). No name stands here: ids survive erasure.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sla.clock import REST, Given

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.ebay.dossiers.dossier import Asked
    from connectors.ebay.dossiers.sources import Source
    from sla.turn import Outcome

FURTHEST = timedelta(days=540)
"""How far back a search may look: eighteen months."""

WINDOW = timedelta(days=89)
"""How long a window of a search is: eBay takes ninety days at most."""

SWEEP = timedelta(days=1)
"""How often a whole window is listed again, for what was closed and is open once more."""

AGAIN, AGAIN_NEAR = timedelta(minutes=30), timedelta(minutes=10)
"""How long what was read of an open dossier holds though its summary says the same."""

NEAR = timedelta(hours=1)
"""How far from an instant to answer by it holds for the shorter time."""

MOST_AGAIN = 72
"""How many unchanged ones of a kind are read again in that time at most, but for those near a date.

A day's calls, searches included, stay below 5,000 then: so many were observed to be allowed.
"""

SHOWN_WITHIN = timedelta(days=3)
"""How late eBay may show what is new: so far back all is listed where no filter finds it."""

Told = tuple[str, str | None, str | None, bool]
"""What is asked: act, date, since when, whether a message is enough."""


@dataclass(frozen=True, slots=True)
class Known:
    """An open dossier: *mark* is what its summary said, *asked* what it asked when it was read.

    *read* is when its detail was; an empty *mark* says that it could not be. *is_all*: nothing
    else was asked.
    """

    mark: str
    opened: str | None
    read: str
    asked: tuple[Told, ...] = ()
    acted: str | None = None
    outcome: Outcome | None = None
    is_all: bool = True

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Known:
        """What `asdict` made of it, after JSON."""
        asked = tuple((one[0], one[1], one[2], bool(one[3])) for one in said["asked"])
        return cls(**{**said, "asked": asked})

    def again(self, source: Source, now: datetime) -> list[Given]:
        """What it asked, as of *now*: its summary says the same."""
        kind = source.kind.value
        rest = Given(
            kind,
            REST,
            asks=False,
            as_of=now,
            read_at=now,
            acted_at=instant(self.acted),
            outcome=self.outcome,
        )
        asks = [
            Given(
                kind,
                act,
                asks=True,
                as_of=now,
                read_at=now,
                due_at=instant(due),
                starts_at=instant(begun),
                by_message=by_message,
            )
            for act, due, begun, by_message in self.asked
        ]
        return [rest, *asks] if self.is_all else asks


def told(asked: tuple[Asked, ...]) -> tuple[Told, ...]:
    """*asked* as it is remembered."""
    return tuple((a.act, written(a.due_at), written(a.starts_at), a.by_message) for a in asked)


def instant(text: str | None) -> datetime | None:
    """What `written` wrote."""
    return datetime.fromisoformat(text) if text else None


def written(at: datetime | None) -> str | None:
    """An instant as text."""
    return at.isoformat() if at else None


def mark(summary: Any, source: Source) -> str:
    """What *summary* says, without a name: as long as it is the same nothing has changed."""
    said = summary.model_dump(exclude={source.buyer, "seller", "seller_login_name"})
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Cursor:
    """*through*: until when all that was opened is known; *swept*: when last all was listed."""

    through: datetime | None = None
    swept: datetime | None = None
    open: Mapping[str, Known] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        """What `write` wrote; nothing known where there is none."""
        if not text:
            return cls()
        said = json.loads(text)
        known = {id_: Known.of(one) for id_, one in said["open"].items()}
        return cls(instant(said["through"]), instant(said["swept"]), known)

    def write(self) -> str:
        """As text, the same for the same state."""
        known = {id_: asdict(one) for id_, one in self.open.items()}
        said = {"through": written(self.through), "swept": written(self.swept), "open": known}
        return json.dumps(said, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Position:
    """A walk so far: in which of its searches, what it has *listed*, what it still has to *ask*.

    *open* are those that are open as far as it knows; *owed* those whose detail could not be had,
    with the mark of their summary; *works*: what was asked for last was answered.
    """

    search: int = 0
    offset: int = 0
    listed: frozenset[str] = frozenset()
    open: Mapping[str, Known] = field(default_factory=dict)
    ask: tuple[str, ...] | None = None
    owed: Mapping[str, str] = field(default_factory=dict)
    works: bool = False

    @classmethod
    def read(cls, text: str | None, cursor: Cursor) -> Position:
        """What `write` wrote; the beginning where there is none."""
        if not text:
            return cls(open=cursor.open)
        said = json.loads(text)
        ask = said["ask"]
        return cls(
            search=said["search"],
            offset=said["offset"],
            listed=frozenset(said["listed"]),
            open={id_: Known.of(one) for id_, one in said["open"].items()},
            ask=None if ask is None else tuple(ask),
            owed=said["owed"],
            works=said["works"],
        )

    def write(self) -> str:
        """As text; it never outlives its walk."""
        said = {
            "search": self.search,
            "offset": self.offset,
            "listed": sorted(self.listed),
            "open": {id_: asdict(one) for id_, one in self.open.items()},
            "ask": self.ask,
            "owed": self.owed,
            "works": self.works,
        }
        return json.dumps(said)

    def knowing(self, more: Mapping[str, Known | None]) -> Position:
        """With what was read of some: None is over."""
        left = {id_: one for id_, one in self.open.items() if id_ not in more}
        return replace(self, open=left | {id_: one for id_, one in more.items() if one})


@dataclass(frozen=True, slots=True)
class Search:
    """One search of a walk: dossiers opened in a window, *narrow* to those that are open."""

    since: datetime
    until: datetime
    narrow: Mapping[str, str] = field(default_factory=dict)

    def params(self, source: Source) -> dict[str, str]:
        """What the search is asked with; both ends are told, for one alone means other things."""
        begin, end = source.window
        return {begin: _stamp(self.since), end: _stamp(self.until), **source.fixed, **self.narrow}


def searches(source: Source, cursor: Cursor, overlap: timedelta, now: datetime) -> list[Search]:
    """The searches of a walk that begins *now*, newest first.

    All that was opened since the last walk, whatever its state; at first, of eighteen months. Those
    that are open by eBay's own filter, or else from the oldest that is open on.
    """
    recent = now - WINDOW
    if cursor.through is None:
        return list(_windows(now - FURTHEST, now))
    since = cursor.through - overlap
    found: list[Search] = []
    if source.narrow is not None:
        found.append(Search(recent, now, source.narrow))
    else:
        opened = [at for one in cursor.open.values() if (at := instant(one.opened))]
        oldest = min(opened, default=now)
        since = min(since, max(oldest, recent), now - SHOWN_WITHIN)
    if is_sweep(cursor, now):
        since = min(since, recent)
    return [*found, *_windows(max(since, now - FURTHEST), now)]


def again(known: Mapping[str, Known], every: timedelta, now: datetime) -> frozenset[str]:
    """Which open dossiers a walk reads whatever their summaries say: a message may change none.

    Those that could not be read, and those that would be older at the next walk than they hold for.
    Of many the longest unread, a few in each walk.
    """
    ages = {id_: now + every - (instant(one.read) or now) for id_, one in known.items()}
    must = {id_ for id_, one in known.items() if not one.mark}
    must |= {id_ for id_, one in known.items() if ages[id_] > AGAIN_NEAR and _is_near(one, now)}
    rest = sorted(known.keys() - must, key=lambda id_: (-ages[id_], id_))
    most = max(1, MOST_AGAIN * every // AGAIN)
    if len(rest) <= most:
        return frozenset(must.union(id_ for id_ in rest if ages[id_] > AGAIN))
    in_turns_of = max(1, AGAIN // every - 1)
    return frozenset(must.union(rest[: min(most, -(-len(rest) // in_turns_of))]))


def is_beyond(known: Known, now: datetime) -> bool:
    """Whether it was opened before what a walk lists."""
    opened = instant(known.opened)
    return opened is not None and opened < now - WINDOW


def _is_near(one: Known, now: datetime) -> bool:
    return any((at := instant(due)) and abs(at - now) <= NEAR for _, due, _, _ in one.asked)


def is_sweep(cursor: Cursor, now: datetime) -> bool:
    """Whether this walk lists a whole window again."""
    return cursor.swept is None or now - cursor.swept >= SWEEP


def _windows(since: datetime, until: datetime) -> Iterator[Search]:
    end = until
    while end > since:
        begin = max(since, end - WINDOW)
        yield Search(begin, end)
        end = begin


def _stamp(at: datetime) -> str:
    return f"{at.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
