"""A day at a store, replayed with every kind of fault: pushes or none, nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.shopify import offer
from connectors.webstore.shopify.sandbox.stage import ShopStage
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


async def told(book, connector, options, made, now, random):
    """What was pushed comes through our door, in any order, and some of it twice."""
    waiting = list(made)
    random.shuffle(waiting)
    for push in [*waiting, *waiting[:3]]:
        headers = {name.lower(): text for name, text in push.headers.items()}
        request = PushRequest("POST", "/", {}, headers, push.body, {"toys": options})
        receipt = await connector.receive(request, now)
        assert receipt.status == 200
        for page in receipt.pages.values():
            book.keep(page, now)
    made.clear()


@pytest.mark.parametrize("pushes", [False, True], ids=["by walks alone", "by pushes as well"])
async def test_a_day_of_faults_ends_with_all_that_the_store_has(
    sandbox, shop, optioned, session, clock, push, pushes
):
    shop.habits.points, shop.habits.repeats = 10**9, True
    stage = ShopStage(sandbox, shop)
    scene = Scene(stage, within=PROMISE, seed=7, threads=1000, pace=0.3)
    options = optioned(**push)
    connector = spec.open(options, Transport(Http(session, limits=IMPATIENT), smtp=Smtp()))
    patient = spec.open(options, Transport(Http(session), smtp=Smtp()))
    book, begin = Book(), clock.now
    again = scene.once(clock.now)
    remarks = {str(one.id): one.note for one in shop.orders.values()}
    for topic in offer.wanted(options):
        shop.subscribe(topic, "https://push.store.example/")
    spoil(sandbox.faults)
    while clock.now < begin + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        remarks |= {str(k): one.note for k, one in shop.orders.items() if str(k) not in remarks}
        if pushes:
            made = sandbox.deliveries.made
            await told(book, connector, options, made, clock.now, shop.random)
        for stream in ("orders", "disputes"):
            await book.poll(connector, stream, clock.now)
    sandbox.faults.lift()
    for stream in ("orders", "disputes"):
        await book.poll(patient, stream, clock.now)

    assert book.failed > 20
    assert len(shop.orders) > 40
    assert {f"order-{name}" for name in remarks} == {
        name for name in book.messages if name.startswith("order-")
    }
    placed = {str(one.id): one.created_at.replace(microsecond=0) for one in shop.orders.values()}
    for name, at in placed.items():
        (clocked,) = book.clocks(name, offer.goals(options), ThreadKind.MESSAGE)
        assert (clocked.started_at.replace(microsecond=0), clocked.ended) == (at, None)
    for order, number in stage.cases.items():
        (clocked,) = book.clocks(f"dispute:{number}", (), ThreadKind.DISPUTE)
        sent = shop.disputes[number].sent_on is not None
        assert clocked.ended == ("met" if sent else None), order
    assert stage.cases
