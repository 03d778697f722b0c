"""A day in a shop, replayed: 288 polls, every kind of fault, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.prestashop import offer
from connectors.webstore.prestashop.sandbox.stage import ShopStage
from core.connector import Transport
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from core.transport.smtp import Smtp
from sla.clock import Kind
from sla.policy import ThreadKind
from tests.connectors.books import Book

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=5)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""The next night an hour comes twice in Paris: of both instants the first is meant."""
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.2)


class Shop(Book):
    """A book that tells how each thread's waitings ended."""

    def ends(self, policies):
        """Of each thread: who waited from when to when, and how it ended."""
        threads = {m.thread for m in self.messages.values()}
        return {name: self._ends(name, policies) for name in threads}

    def _ends(self, thread, policies):
        found = self.clocks(thread, policies, ThreadKind.MESSAGE)
        return [(c.waits_for, c.started_at, c.stopped_at, c.ended) for c in found]


def spoil(faults):
    for kind in ("drop", "reset", "truncated", "slow", "duplicate"):
        faults.order(kind, share=0.02 if kind == "slow" else 0.04, delay=0.3)
    for status in (429, 500, 503, 404):
        faults.order("status", status=status, share=0.02)


@pytest.mark.parametrize(
    "begin", [datetime(2026, 11, 20, 12, tzinfo=UTC), AUTUMN], ids=["usual", "of 25 hours"]
)
async def test_a_day_of_faults_ends_with_all_that_the_shop_has(
    sandbox, shop, optioned, session, clock, begin
):
    clock.now = begin
    scene = Scene(ShopStage(sandbox, shop), within=PROMISE, seed=7, threads=1000, pace=0.3)
    options = optioned()
    connector = spec.open(options, Transport(Http(session, limits=IMPATIENT), smtp=Smtp()))
    patient = spec.open(options, Transport(Http(session), smtp=Smtp()))
    book = Shop()
    spoil(sandbox.faults)
    again = scene.once(clock.now)
    while clock.now < begin + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        await book.poll(connector, "messages", clock.now)
    sandbox.faults.lift()
    await book.poll(patient, "messages", clock.now)

    truth = Shop()
    await truth.poll(patient, "messages", clock.now)
    said = {i: m for i, m in book.messages.items() if m.kind is not Kind.SYSTEM}
    assert book.failed > 20
    assert len(shop.threads) > 40
    assert said == {i: m for i, m in truth.messages.items() if m.kind is not Kind.SYSTEM}
    assert len(said) == len(shop.messages)
    written = {str(one.id): one.at.replace(microsecond=0) for one in shop.messages.values()}
    early = {written[i.partition(".")[0]] - m.sent_at for i, m in said.items()}
    assert early <= ({timedelta(0), timedelta(hours=1)} if begin == AUTUMN else {timedelta(0)})
    assert book.ends(offer.goals(options)) == truth.ends(offer.goals(options))
