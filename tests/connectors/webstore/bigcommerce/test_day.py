"""A day at a store, replayed with every kind of fault: pushes or none, nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.bigcommerce import offer
from connectors.webstore.bigcommerce.sandbox.stage import StoreStage
from core.connector import Transport
from core.pushes import PushRequest
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from core.transport.smtp import Smtp
from sla.policy import ThreadKind
from tests.connectors.books import Book

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=5)
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.2)


def spoil(faults):
    for kind in ("drop", "reset", "truncated", "slow"):
        faults.order(kind, share=0.02 if kind == "slow" else 0.04, delay=0.3)
    for status in (429, 500, 503):
        faults.order("status", status=status, share=0.03)


async def told(book, connector, options, sandbox, clock):
    """What waits to be pushed comes through our door; what is refused waits for the next time."""
    for push in [one for one in sandbox.deliveries.waiting if one.due <= clock.now]:
        headers = {name.lower(): text for name, text in sandbox.deliveries.headers(push).items()}
        request = PushRequest("POST", "/", {}, headers, push.body, {"toys": options})
        receipt = await connector.receive(request, clock.now)
        for page in receipt.pages.values():
            book.keep(page, clock.now)
        if receipt.status == 200:
            sandbox.deliveries.waiting.remove(push)


@pytest.mark.parametrize("touches", [True, False], ids=["by walks", "by pushes alone"])
async def test_a_day_of_faults_ends_with_all_that_the_store_has(
    sandbox, store, optioned, session, clock, push, touches
):
    store.habits.touches, store.habits.quota = touches, 10**6
    scene = Scene(StoreStage(sandbox, store), within=PROMISE, seed=7, threads=1000, pace=0.3)
    options = optioned(**push)
    connector = spec.open(options, Transport(Http(session, limits=IMPATIENT), smtp=Smtp()))
    patient = spec.open(options, Transport(Http(session), smtp=Smtp()))
    book, begin = Book(), clock.now
    again = scene.once(clock.now)
    store.add_hook(offer.CREATED, push["push"]["endpoint"])
    spoil(sandbox.faults)
    while clock.now < begin + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        await book.poll(connector, "messages", clock.now)
        if not touches:
            await told(book, connector, options, sandbox, clock)
    sandbox.faults.lift()
    await book.poll(patient, "messages", clock.now)
    await told(book, patient, options, sandbox, clock)

    truth = Book()
    await truth.poll(patient, "messages", clock.now)
    written = [one for order in store.orders.values() for one in order.messages]
    assert book.failed > 20
    assert len(store.orders) > 40
    assert {str(one.id) for one in written} == set(book.messages) == set(truth.messages)
    assert book.messages == truth.messages
    policies = offer.goals(options)
    assert [(c.started_at, c.stopped_at, c.ended) for name in sorted(truth.threads)
            for c in book.clocks(name, policies, ThreadKind.MESSAGE)] == [
        (c.started_at, c.stopped_at, c.ended) for name in sorted(truth.threads)
        for c in truth.clocks(name, policies, ThreadKind.MESSAGE)
    ]  # fmt: skip
