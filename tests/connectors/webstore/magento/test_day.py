"""A day at a shop, replayed with every kind of fault: nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.magento import offer
from connectors.webstore.magento.sandbox.stage import ShopStage
from core.connector import Transport
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from sla.policy import ThreadKind
from tests.connectors.books import Book

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=5)
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.2)


def spoil(faults):
    for kind in ("drop", "reset", "truncated", "slow", "html"):
        faults.order(kind, share=0.02 if kind == "slow" else 0.04, delay=0.3, status=503)
    for status in (429, 500, 503):
        faults.order("status", status=status, share=0.04)


@pytest.mark.parametrize("touches", [True, False])
async def test_a_day_of_faults_ends_with_all_that_the_shop_has(
    sandbox, shop, optioned, session, clock, touches
):
    shop.habits.touches = touches
    scene = Scene(ShopStage(sandbox, shop), within=PROMISE, seed=7, threads=1000, pace=0.3)
    options = optioned()
    connector = spec.open(options, Transport(Http(session, limits=IMPATIENT)))
    patient = spec.open(options, Transport(Http(session)))
    book, begin = Book(), clock.now
    again = scene.once(clock.now)
    spoil(sandbox.faults)
    while clock.now < begin + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        await book.poll(connector, "orders", clock.now)
    sandbox.faults.lift()
    for _ in range(3):
        await book.poll(patient, "orders", clock.now)

    truth = Book()
    await truth.poll(patient, "orders", clock.now)
    assert book.failed > 20
    assert len(shop.orders) > 40
    assert set(book.threads) == set(truth.threads) == {str(one) for one in shop.orders}
    policies = offer.goals(options)
    told = [(c.started_at, c.stopped_at, c.ended) for name in sorted(truth.threads)
            for c in truth.clocks(name, policies, ThreadKind.MESSAGE)]  # fmt: skip
    assert {ended for _, _, ended in told} == {"met", None}
    assert [(c.started_at, c.stopped_at, c.ended) for name in sorted(truth.threads)
            for c in book.clocks(name, policies, ThreadKind.MESSAGE)] == told  # fmt: skip
