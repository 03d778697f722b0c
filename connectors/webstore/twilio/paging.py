"""Where a walk is, and where the next one begins. Pure.

The address of the next page names our number and may name a buyer's: of it the page and its token
alone are kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from core.errors import BadPayload
from core.payload import instant

if TYPE_CHECKING:
    from collections.abc import Iterable

AT_ONCE = 200
"""So many items a page has; Twilio gives 50 where nothing is said, and 1,000 at most."""

LEAD = timedelta(hours=1)
PAGE, TOKEN = "Page", "PageToken"


@dataclass(frozen=True, slots=True)
class Walk:
    """A page of one of the lists that a walk reads, the first for no *token*.

    *newest* is the newest instant so far; *taken* are calls of later pages that somebody took.
    """

    list: str = ""
    page: str = ""
    token: str = ""
    newest: str | None = None
    taken: tuple[str, ...] = ()

    @classmethod
    def read(cls, position: str | None, first: str) -> Walk:
        """What `write` wrote; the begin of a walk for None."""
        if position is None:
            return cls(first)
        told = json.loads(position)
        return cls(**{**told, "taken": tuple(told["taken"])})

    def write(self) -> str:
        """As text; it never outlives its walk."""
        return json.dumps(asdict(self))

    @property
    def asked(self) -> dict[str, str]:
        """What names the page in a call."""
        return {PAGE: self.page, TOKEN: self.token} if self.token else {}

    def onward(self, uri: str | None) -> Walk | None:
        """The page that *uri* names; None at the end of the list.

        Raises:
            BadPayload: it leads nowhere, or back here.
        """
        if not uri:
            return None
        query = parse_qs(urlsplit(uri).query)
        page, token = (next(iter(query.get(name, ())), "") for name in (PAGE, TOKEN))
        if not token or token == self.token:
            raise BadPayload("the next page leads nowhere", raw=uri.encode(), detail="paging")
        return replace(self, page=page, token=token)

    def seen(self, times: Iterable[datetime | None], now: datetime) -> Walk:
        """With the newest of *times* that can be."""
        before = instant(self.newest)
        known = [one for one in (before, *times) if one is not None and one <= now + LEAD]
        return replace(self, newest=max(known).isoformat() if known else None)


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a walk begins: *since* is the newest instant of the last one, by Twilio's clock.

    *swept* is when a walk last went as far back as it has to now and then, by ours.
    """

    since: datetime
    swept: datetime | None = None

    @classmethod
    def read(cls, cursor: str | None, look_back: timedelta, now: datetime) -> Begin:
        """What `after` wrote; the look-back before the first walk."""
        told = json.loads(cursor) if cursor else {}
        return cls(instant(told.get("since")) or now - look_back, instant(told.get("swept")))

    def after(self, walk: Walk, swept: datetime | None = None) -> str:
        """Where the walk after *walk* begins, as text: instants and no more."""
        newest = instant(walk.newest) or self.since
        told = {"since": max(newest, self.since).isoformat()}
        return json.dumps(told | ({} if swept is None else {"swept": swept.isoformat()}))


def date(at: datetime) -> str:
    """An instant as a filter takes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
