"""A view that boards show: what they were told of it last, and what is to be told them next."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from hashlib import blake2s
from time import monotonic
from typing import TYPE_CHECKING

from core.access import Who
from core.web import lines as rows
from core.web import pages
from core.web.streams import event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from core.rules import Rules
    from core.store.board import Line, Sought
    from core.web.glance import Seen
    from core.web.pages import Audience
    from core.web.streams import Client

    Ref = tuple[str, str]
    Lines = Mapping[Ref, Line]

KEPT = 30
"""So many versions of a view are remembered: whoever comes back is told what changed since."""
AT_LEAST = 30.0
"""Seconds after which a view is looked at though nothing was heard."""
BY_BAND = 5.0
"""As many, of a view into which a line may come by time alone."""
MARGIN = 0.001
"""Seconds after an instant at which what is compared with it has passed."""


@dataclass(frozen=True, slots=True)
class View:
    """What a board shows, and for whom it is written.

    *reader* has no name in it: see `reader`. *is_wall*: it is shown whole, so whatever changes has
    it loaded anew.
    """

    sought: Sought
    reader: Audience
    limit: int
    is_wall: bool = False


def reader(audience: Audience) -> Audience:
    """*audience* without who it is: what is written for it is the same for all who are like it."""
    who = audience.who
    if who is None:
        return audience
    return replace(audience, who=Who("", who.role, who.accounts))


def version(lines: Iterable[Line]) -> str:
    """A name for what stands in *lines*, and as what: the same wherever the same is shown."""
    digest = blake2s(digest_size=9)
    for line in lines:
        digest.update(repr(line).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def summary(seen: Seen, audience: Audience, now: datetime) -> str:
    """How many threads wait and what is wrong, as boards take it in."""
    return pages.render(
        "queue/counts.html", audience, now, counts=seen.counts, troubles=seen.troubles
    )


class Shown:
    """A view with those who show it. *is_outdated*: it is to be looked at again."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.is_outdated = True
        self.again_at = 0.0
        self._clients: set[Client] = set()
        self._new: set[Client] = set()
        self._lines: Lines = {}
        self._version = ""
        self._past: OrderedDict[str, Lines] = OrderedDict()
        self._counts = b""

    @property
    def clients(self) -> set[Client]:
        """All who show it."""
        return self._clients | self._new

    @property
    def is_unseen(self) -> bool:
        """Whether nobody shows it."""
        return not (self._clients or self._new)

    def is_due(self, now: float) -> bool:
        """Whether it is to be looked at, by the monotonic clock."""
        return self.is_outdated or bool(self._new) or now >= self.again_at

    def join(self, client: Client) -> None:
        """Let *client* show it from the next look on."""
        self._new.add(client)

    def leave(self, client: Client) -> None:
        """*client* shows it no more."""
        self._new.discard(client)
        self._clients.discard(client)

    def take(self, found: Sequence[Line], rules: Rules, now: datetime) -> None:
        """Tell those who show it what has changed, now that *found* is what stands in it."""
        lines = {(line.account, line.thread): line for line in found}
        self.again_at = monotonic() + self._lasts(found, now)
        if not self._version or self._lines != lines:
            self._change(lines, rules, now)
        for client in self._new:
            self._greet(client, rules, now)
        self._clients |= self._new
        self._new = set()

    def _change(self, lines: Lines, rules: Rules, now: datetime) -> None:
        before, self._lines, self._version = self._lines, lines, version(lines.values())
        self._past[self._version] = lines
        self._past.move_to_end(self._version)
        while len(self._past) > KEPT:
            self._past.popitem(last=False)
        if self._clients:
            chunk = self._news(before, rules, now)
            for client in self._clients:
                client.push(chunk)

    def _greet(self, client: Client, rules: Rules, now: datetime) -> None:
        """Tell *client* what changed since it looked last; to begin anew where that is unknown.

        One that has seen nothing is told all of it.
        """
        client.push(event("now", now.isoformat()))
        if client.seen is not None and client.seen not in self._past:
            client.push(event("reload", "", self._version))
        elif client.seen != self._version:
            client.push(self._news(self._past.get(client.seen or "", {}), rules, now))
        if self._counts:
            client.push(self._counts)

    def _news(self, before: Lines, rules: Rules, now: datetime) -> bytes:
        """What there is now that was not so *before*."""
        lines, audience = self._lines, self.view.reader
        if self.view.is_wall:
            return event("reload", "", self._version)
        changed = [line for ref, line in lines.items() if before.get(ref) != line]
        gone = [ref for ref in before if ref not in lines]
        said = rows.gone(gone, audience, now) if gone else ""
        if changed:
            said += rows.fragment(changed, audience, rules, now)
        return event("lines", said, self._version)

    def tell_counts(self, counts: bytes) -> None:
        """Tell how many threads wait, where that is news."""
        if counts and counts != self._counts:
            self._counts = counts
            for client in self._clients:
                client.push(counts)

    def _lasts(self, found: Sequence[Line], now: datetime) -> float:
        """For how many seconds it stays as it is, if nothing happens but that time passes."""
        instants = [line.claimed_until for line in found if line.claimed_until is not None]
        if self.view.sought.band is not None:
            instants += [at for line in found if (at := line.next_band_at(now)) is not None]
        longest = AT_LEAST if self.view.sought.band is None else BY_BAND
        seconds = (max(0.0, (at - now).total_seconds()) + MARGIN for at in instants)
        return min((longest, *seconds))
