"""A day at eBay, replayed: every kind of fault, tokens that end, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

from connectors.ebay import spec
from connectors.ebay.sandbox import stories
from connectors.ebay.sandbox.stage import SellerStage
from core.connector import Transport
from core.errors import ConnectorError
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from sla.clock import clocks

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=15)
TURN = ("id", "party", "kind", "sent_at", "to", "delivery", "level")
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.5)
FAULTS = ("drop", "reset", "truncated", "slow", "duplicate")


class Book:
    """What core keeps: messages, threads, readings appended, cursors of finished walks."""

    def __init__(self, promises):
        self.promises = promises
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

    async def look(self, connector, now):
        """What core does with threads of which not all could be read."""
        unread = sorted(one.id for one in self.threads.values() if one.incomplete)
        try:
            self.keep(await connector.look(unread, now), now)
        except ConnectorError:
            self.failed += 1

    def keep(self, page, now):
        self.threads |= {thread.id: thread for thread in page.threads}
        for message in page.messages:
            self.messages[message.id] = message
            self.seen.setdefault(message.id, now)
        for thread, given in page.given:
            readings = self.readings.setdefault(thread, [])
            if replace(given, read_at=now) not in [replace(one, read_at=now) for one in readings]:
                readings.append(given)

    def waits(self, thread):
        """Until when somebody waits there now, by what; nothing where nobody does."""
        turns = [
            SimpleNamespace(
                **{name: getattr(one, name) for name in TURN}, seen_at=self.seen[one.id]
            )
            for one in self.messages.values()
            if one.thread == thread
        ]
        kind = self.threads[thread].kind
        fitting = [p for p in self.promises if kind in p.applies_to]
        found = clocks(turns, fitting, self.readings.get(thread, []), kind=kind)
        return sorted((c.promise, c.due_at) for c in found if c.ended is None)


def spoil(faults):
    for kind in FAULTS:
        faults.order(kind, share=0.02 if kind == "slow" else 0.03, delay=0.3)
    for status in (429, 500, 503, 404):
        faults.order("status", status=status, share=0.03)
    faults.order("status", status=401, share=0.01)


async def test_a_day_of_faults_ends_with_all_that_ebay_has(
    sandbox, seller, options, session, clock
):
    stage = SellerStage(sandbox, seller)
    scene = Scene(
        stage, within=PROMISE, seed=7, threads=1000, pace=0.2, script=stories.SCRIPT
    )  # fmt: skip
    connector = spec.open(options, Transport(Http(session, limits=IMPATIENT)))
    patient = spec.open(options, Transport(Http(session)))
    promises = (*spec.policies(options), *spec.goals(options))
    book, begun, again = Book(promises), clock.now, scene.once(clock.now)
    spoil(sandbox.faults)
    while clock.now < begun + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        for stream in spec.streams(options):
            await book.poll(connector, stream.name, clock.now)
        await book.look(connector, clock.now)
    sandbox.faults.lift()
    truth = Book(promises)
    for stream in spec.streams(options):
        await book.poll(patient, stream.name, clock.now)
        await truth.poll(patient, stream.name, clock.now)
    await book.look(patient, clock.now)

    over = sorted(book.threads.keys() - truth.threads.keys())  # left out by a first walk
    truth.keep(await patient.look(over, clock.now), clock.now)

    assert all(thread.partition(":")[2] for thread in over), "dossiers alone"
    assert book.failed > 50
    renewed = [n for (*what, _), n in seller.application.used.items() if "refresh_token" in what]
    assert sum(renewed) > 6, "tokens ended meanwhile"
    spoken = list(seller.mailbox.live.values())
    assert len(spoken) > 40
    assert len(stage.dossiers) > 3
    assert set(truth.threads) == set(book.threads)
    assert truth.messages == book.messages
    written = [m for one in spoken for m in one.messages]
    assert {m.id for m in written} <= set(book.messages)
    for thread in truth.threads:
        assert book.waits(thread) == truth.waits(thread), thread
    assert any(book.waits(thread) for thread in book.threads)
