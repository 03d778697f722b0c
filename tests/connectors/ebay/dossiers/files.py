"""What a shop keeps of its dossiers: all that pages told, and the clocks that follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from core.store import readings
from sla.clock import REST, clocks

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Seen:
    """A message as it is stored: *seen_at* is when it came first."""

    of: object
    seen_at: object

    def __getattr__(self, name):
        return getattr(self.of, name)


@dataclass
class Files:
    """Keeps what `core.ingest` would: messages by id, readings that are news, thread states."""

    messages: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)
    threads: dict = field(default_factory=dict)
    aside: list = field(default_factory=list)

    def take(self, page, now):
        self.aside += page.set_aside
        for thread in page.threads:
            known = self.threads.get(thread.id)
            if known is None or known.as_of <= thread.as_of:
                self.threads[thread.id] = thread
        for message in page.messages:
            known = self.messages.get(message.id)
            self.messages[message.id] = Seen(message, known.seen_at if known else now)
        for thread, one in sorted(page.given, key=_turn):
            beside = [g for t, g in page.given if (t, g.as_of, g.read_at) == _place(thread, one)]
            known = self.given.setdefault(thread, [])
            seen = [m.seen_at for m in self.messages.values() if m.thread == thread]
            if readings.is_news(known, one, max(seen, default=None), beside):
                known.append(one)
        return page

    def turns(self, thread):
        return [m for m in self.messages.values() if m.thread == thread]

    def clocks(self, thread, policies=()):
        kind = self.threads[thread].kind
        return clocks(self.turns(thread), policies, self.given.get(thread, []), kind=kind)

    def given_clocks(self, thread):
        """By act: the clocks of the dates that eBay gives."""
        return {c.promise.split(":")[2]: c for c in self.clocks(thread) if c.metric == "given"}


def _turn(told):
    _, one = told
    return one.as_of, one.read_at, one.act != REST


def _place(thread, one):
    return thread, one.as_of, one.read_at
