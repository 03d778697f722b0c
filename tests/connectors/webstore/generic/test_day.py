"""A day at a store of each shape, replayed with every kind of fault: nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore.generic import offer
from connectors.webstore.generic.sandbox import deliveries
from connectors.webstore.generic.sandbox.stage import ShopStage
from core.pushes import PushRequest
from core.sandbox.scene import Scene
from core.transport.http import Limits
from sla.policy import ThreadKind
from tests.connectors.books import Book
from tests.connectors.webstore.generic.shapes import SHAPES

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=5)
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.2)


def spoil(faults):
    for kind in ("drop", "reset", "truncated", "slow"):
        faults.order(kind, share=0.02 if kind == "slow" else 0.04, delay=0.3)
    for status in (429, 500, 503):
        faults.order("status", status=status, share=0.03)


async def told(book, place, connector, clock, random):
    """Of what is pushed a third is lost, the rest comes in any order, some of it twice."""
    made = place.sandbox.deliveries.made
    pushes = [one for one in made if random.random() < 0.66]
    made.clear()
    random.shuffle(pushes)
    for push in [*pushes, *pushes[:2]]:
        headers = {n.lower(): text for n, text in deliveries.signed(push, clock.now).items()}
        request = PushRequest("POST", "/", {}, headers, push.body, {"a": place.options})
        receipt = await connector.receive(request, clock.now)
        assert receipt.status == 200
        book.keep(receipt.pages["a"], clock.now)


@pytest.mark.parametrize("name", SHAPES)
async def test_a_day_of_faults_ends_with_all_that_the_store_has(sandbox, placed, clock, name):
    place = placed(SHAPES[name])
    place.shop.habits.size = place.shop.habits.most = 20
    place.shop.habits.shuffles = place.shop.habits.repeats = name != "numbered"
    scene = Scene(ShopStage(sandbox, place.shop), within=PROMISE, seed=7, threads=1000, pace=0.3)
    connector, patient = place.opened(limits=IMPATIENT), place.opened()
    book, begin = Book(), clock.now
    again = scene.once(clock.now)
    spoil(sandbox.faults)
    while clock.now < begin + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        await told(book, place, connector, clock, place.shop.random)
        await book.poll(connector, "messages", clock.now)
    sandbox.faults.lift()
    await book.poll(patient, "messages", clock.now)

    truth = Book()
    await truth.poll(patient, "messages", clock.now)
    written = [one for each in place.shop.conversations.values() for one in each.messages]
    assert book.failed > 20
    assert len(place.shop.conversations) > 40
    assert {str(one.id) for one in written} == set(book.messages) == set(truth.messages)
    assert book.messages == truth.messages
    policies = offer.goals(place.options)
    assert [(c.started_at, c.stopped_at, c.ended) for thread in sorted(truth.threads)
            for c in book.clocks(thread, policies, ThreadKind.MESSAGE)] == [
        (c.started_at, c.stopped_at, c.ended) for thread in sorted(truth.threads)
        for c in truth.clocks(thread, policies, ThreadKind.MESSAGE)
    ]  # fmt: skip
