"""A day at a shop, replayed with every kind of fault: pushes or none, nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.woocommerce import offer
from connectors.webstore.woocommerce.sandbox.stage import ShopStage
from core.connector import Transport
from core.pushes import PushRequest
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from sla.policy import ThreadKind
from tests.connectors.books import Book
from tests.connectors.webstore.woocommerce.conftest import ENDPOINT, SECRET

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=5)
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.2)


def spoil(faults):
    for kind in ("drop", "reset", "truncated", "slow", "html"):
        faults.order(kind, share=0.02 if kind == "slow" else 0.03, delay=0.3, status=503)
    for status in (429, 500, 503):
        faults.order("status", status=status, share=0.03)


async def told(book, connector, options, sandbox, clock):
    """What waits to be pushed comes through our door, once."""
    waiting = list(sandbox.deliveries.waiting)
    sandbox.deliveries.waiting.clear()
    for push in waiting:
        body = push.body()
        headers = {k.lower(): v for k, v in sandbox.deliveries.headers(push, body).items()}
        request = PushRequest("POST", "/", {}, headers, body, {"toys": options})
        receipt = await connector.receive(request, clock.now)
        assert receipt.status == 200
        for page in receipt.pages.values():
            book.keep(page, clock.now)


@pytest.mark.parametrize("pushes", [False, True], ids=["by walks", "with pushes"])
async def test_a_day_of_faults_ends_with_all_that_the_shop_has(
    sandbox, shop, optioned, session, clock, push, pushes
):
    scene = Scene(ShopStage(sandbox, shop), within=PROMISE, seed=7, threads=1000, pace=0.3)
    options = optioned(**push)
    connector = spec.open(options, Transport(Http(session, limits=IMPATIENT)))
    patient = spec.open(options, Transport(Http(session)))
    book, begin = Book(), clock.now
    again = scene.once(clock.now)
    if pushes:
        for topic in offer.TOPICS:
            shop.add_hook(topic, ENDPOINT, SECRET)
    spoil(sandbox.faults)
    while clock.now < begin + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        await told(book, connector, options, sandbox, clock)
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
    assert [(c.started_at, c.stopped_at, c.ended) for name in sorted(truth.threads)
            for c in book.clocks(name, policies, ThreadKind.MESSAGE)] == [
        (c.started_at, c.stopped_at, c.ended) for name in sorted(truth.threads)
        for c in truth.clocks(name, policies, ThreadKind.MESSAGE)
    ]  # fmt: skip
