"""A day at eBay, replayed: every kind of fault, tokens that end, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta

from connectors.ebay import spec
from connectors.ebay.sandbox import stories
from connectors.ebay.sandbox.stage import SellerStage
from core.connector import Transport
from core.errors import ConnectorError
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from tests.connectors.books import Book

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=15)
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.5)
FAULTS = ("drop", "reset", "truncated", "slow", "duplicate")


class Shop(Book):
    """A book of what *promises* make of it."""

    def __init__(self, promises):
        super().__init__()
        self.promises = promises

    async def look(self, connector, now):
        """What core does with threads of which not all could be read."""
        unread = sorted(one.id for one in self.threads.values() if one.incomplete)
        try:
            self.keep(await connector.look(unread, now), now)
        except ConnectorError:
            self.failed += 1

    def waits(self, thread):
        """Until when somebody waits there now, by what; nothing where nobody does."""
        found = self.clocks(thread, self.promises, self.threads[thread].kind)
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
    book, begun, again = Shop(promises), clock.now, scene.once(clock.now)
    spoil(sandbox.faults)
    while clock.now < begun + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        for stream in spec.streams(options):
            await book.poll(connector, stream.name, clock.now)
        await book.look(connector, clock.now)
    sandbox.faults.lift()
    truth = Shop(promises)
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
