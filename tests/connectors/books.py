"""What core keeps of walks: for days that are replayed without a database."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from core.errors import ConnectorError
from sla.clock import clocks

TURN = ("id", "party", "kind", "sent_at", "to", "delivery", "level")


def turn(message, seen_at):
    """*message* as a clock sees it."""
    return SimpleNamespace(**{name: getattr(message, name) for name in TURN}, seen_at=seen_at)


class Book:
    """Messages as first seen, threads, readings appended, cursors of finished walks."""

    def __init__(self):
        self.messages, self.seen, self.threads, self.readings, self.cursors = {}, {}, {}, {}, {}
        self.failed = 0

    async def poll(self, connector, stream, now):
        """One walk; a page that came is kept, the cursor moves at the walk's end."""
        position = None
        try:
            while True:
                page = await connector.fetch(stream, self.cursors.get(stream), position, now)
                self.keep(page, now)
                if not page.more:
                    break
                position = page.position
        except ConnectorError:
            self.failed += 1
        else:
            self.cursors[stream] = page.cursor

    def keep(self, page, now):
        self.threads |= {thread.id: thread for thread in page.threads}
        for message in page.messages:
            self.messages[message.id] = message
            self.seen.setdefault(message.id, now)
        for thread, given in page.given:
            readings = self.readings.setdefault(thread, [])
            told = [replace(one, read_at=now) for one in self.compared(readings)]
            if replace(given, read_at=now) not in told:
                readings.append(given)

    def compared(self, readings):
        """Those of a thread's *readings* which a new one must not repeat."""
        return readings

    def clocks(self, thread, policies, kind):
        """The clocks of *thread* by those of *policies* that are for its kind."""
        turns = [turn(m, self.seen[m.id]) for m in self.messages.values() if m.thread == thread]
        fitting = [p for p in policies if kind in p.applies_to]
        return clocks(turns, fitting, self.readings.get(thread, []), kind=kind)
