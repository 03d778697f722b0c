"""How one page of a store's list leads to the next. Pure.

A list moves while it is read. By a cursor, or by addresses that the store itself names, that is the
store's own business. By numbers it is ours: an item that leaves an earlier page draws one from the
next page to where we have been. So the last item that was read is asked for once more where pages
begin at an item, and the page before is read again where they have numbers.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from yarl import URL

from connectors.webstore.generic import moments
from connectors.webstore.generic.paths import find
from core.errors import BadPayload
from core.payload import instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connectors.webstore.generic.asking import Paging, Poll

MOST_PAGES = 4000
MOST_AGAIN = 3
"""So often a walk begins anew where the list moved under it."""
LONGEST_TOKEN = 8000
LINK = re.compile(r"<([^<>]*)>([^<]*)")
REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Walk:
    """The position of a walk: its *step* comes next, of what changed *since*.

    *known*: until then all was read by earlier walks. *token* is what the store gave to go on with;
    *came* so many items so far, *edge* is the last one. *newest* is the newest instant so far.
    *wait*: so many seconds until the store takes calls again.
    """

    since: str
    known: str
    step: int = 1
    token: str | None = None
    came: int = 0
    edge: str | None = None
    newest: str | None = None
    again: int = 0
    wait: float | None = None

    @classmethod
    def read(cls, position: str) -> Walk:
        """What `write` wrote."""
        return cls(**json.loads(position))

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))


class Came(NamedTuple):
    """An answer of a list: *marks* are what its items are known by, in their order."""

    document: Any
    link: str
    marks: Sequence[str]


class Call(NamedTuple):
    """What is asked."""

    url: str
    params: dict[str, str]


def call(poll: Poll, walk: Walk, zone: str | None) -> Call:
    """The question that *walk* asks next."""
    paging = poll.paging
    if walk.token is not None and paging is not None and paging.by in {"url", "link"}:
        return Call(walk.token, {})
    onward = _onward(paging, walk) if paging is not None else {}
    if paging is not None and paging.alone and walk.token is not None:
        return Call(poll.url, onward)
    asked: dict[str, str] = {}
    at = instant(walk.since)
    if poll.since is not None and at is not None:
        asked[poll.since.parameter] = str(moments.written(at, poll.since.form, zone))
    if paging is not None and paging.size_parameter is not None:
        asked[paging.size_parameter] = str(paging.size)
    return Call(poll.url, asked | onward)


def before(poll: Poll, walk: Walk) -> Walk | None:
    """The step that is read once more: the page before, where pages have numbers."""
    is_numbered = poll.paging is not None and poll.paging.by == "page"
    return replace(walk, step=walk.step - 1) if is_numbered and walk.step > 1 else None


def after(poll: Poll, walk: Walk, came: Came) -> Walk | None:
    """Where *walk* goes on once *came* was read; None where that was all.

    Raises:
        BadPayload: it does not go on, does not end, or leads elsewhere.
    """
    paging, count = poll.paging, len(came.marks)
    if paging is None:
        return None
    if walk.step >= MOST_PAGES:
        raise _endless()
    if paging.by == "offset" and walk.step > 1 and walk.edge not in came.marks:
        return _anew(walk)
    further = replace(
        walk,
        step=walk.step + 1,
        came=offset(walk) + count,
        edge=came.marks[-1] if came.marks else walk.edge,
    )
    if paging.by in {"page", "offset"}:
        return None if _is_last(paging, walk, count) else further
    token = _token(poll, walk, came)
    if token is None or (token == walk.token and not count):
        return None
    if token == walk.token:
        raise _endless()
    return replace(further, token=token)


def offset(walk: Walk) -> int:
    """With which item the step begins: the last one that was read, to see whether all moved."""
    return max(0, walk.came - 1)


def _onward(paging: Paging, walk: Walk) -> dict[str, str]:
    """The parameter that leads on."""
    if paging.by == "page":
        return {paging.named: str(paging.first + walk.step - 1)}
    if paging.by == "offset":
        return {paging.named: str(offset(walk))}
    return {} if walk.token is None else {paging.named: walk.token}


def _is_last(paging: Paging, walk: Walk, count: int) -> bool:
    """Whether nothing comes behind a page of so many items.

    Where nobody says how many a full page has, only one that brings nothing is surely the last.
    """
    if paging.size is not None:
        return count < paging.size
    if paging.by == "offset" and walk.step > 1:
        return count <= 1
    return count == 0


def _anew(walk: Walk) -> Walk:
    """The walk from its begin.

    Raises:
        BadPayload: it has begun anew too often.
    """
    if walk.again >= MOST_AGAIN:
        raise BadPayload(
            "poll: the list moves under the walk again and again; page it by a cursor, or ask for"
            " what is new alone (poll.since)",
            detail="moving",
        )
    return Walk(walk.since, walk.known, newest=walk.newest, again=walk.again + 1)


def _token(poll: Poll, walk: Walk, came: Came) -> str | None:
    """What leads on: a cursor, or an address of the same server; None at the end."""
    paging = poll.paging
    if paging is None:
        return None
    if paging.by == "link":
        return _address(poll, walk, linked(came.link))
    told = find(paging.next, came.document)
    if isinstance(told, bool) or not isinstance(told, str | int) or told == "":
        return None
    text = str(told)
    if len(text) > LONGEST_TOKEN or "\x00" in text or not _is_text(text):
        raise BadPayload("poll: what leads to the next page cannot be used", detail="misshapen")
    return text if paging.by == "cursor" else _address(poll, walk, text)


def _address(poll: Poll, walk: Walk, told: str | None) -> str | None:
    """The next page's address.

    Raises:
        BadPayload: it is elsewhere, where our key does not belong.
    """
    if told is None:
        return None
    try:
        here = URL(walk.token or poll.url)
        there = here.join(URL(told))
        is_there = there.origin() == URL(poll.url).origin()
    except ValueError:
        is_there, there = False, URL()
    if not is_there:
        said = "poll: the next page is at another server, where the key is not sent"
        raise BadPayload(said, detail="elsewhere")
    return str(there)


def linked(header: str) -> str | None:
    """The address with rel="next" in a header ``Link`` (RFC 8288)."""
    for target, told in LINK.findall(header):
        for quoted, plain in REL.findall(told):
            if "next" in (quoted or plain).lower().split():
                return str(target)
    return None


def newest(walk: Walk, told: Sequence[datetime], now: datetime) -> str | None:
    """The newest instant so far, none of them later than *now*."""
    known = instant(walk.newest)
    every = [*told, *([known] if known else [])]
    return None if not every else min(max(every), now).isoformat()


def waiting(left: str, reset: str, keep: int) -> float | None:
    """How long to wait where the store's limit leaves *left* calls; None: go on."""
    if not (left.isascii() and left.isdigit()) or int(left[:9]) >= keep:
        return None
    return float(reset) if reset.isascii() and reset.isdigit() and len(reset) < 7 else 60.0


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _endless() -> BadPayload:
    return BadPayload("poll: the pages do not end", detail="endless")


def headed(headers: Mapping[str, str], name: str | None) -> str:
    """What a header says."""
    return "" if name is None else headers.get(name.lower(), "").strip()
