"""A day at a page: polls with every kind of fault, pushes in disorder, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from connectors.webstore import spec
from connectors.webstore.meta.sandbox.stage import LineStage
from core.connector import Transport
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from sla.policy import Party, ThreadKind
from tests.connectors.books import Book

PROMISE = timedelta(hours=1)
EVERY = timedelta(minutes=10)
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.5)


def spoil(faults):
    for kind in ("drop", "reset", "truncated", "duplicate"):
        faults.order(kind, share=0.04, operation="conversations")
    for status in (429, 500, 503, 404):
        faults.order("status", status=status, share=0.04, operation="conversations")


async def test_a_day_of_faults_ends_with_all_that_was_said(
    sandbox, graph, page, pages, shop, optioned, session, clock, word
):
    chance, begun, book = Random(5), clock.now, Book()
    hasty = spec.open(optioned(), Transport(Http(session, limits=IMPATIENT)))
    scene = Scene(LineStage(sandbox, page), within=PROMISE, seed=7, threads=1000, pace=0.3)
    spoil(sandbox.faults)
    again = scene.once(clock.now)
    while clock.now < begun + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        shop.closed = chance.random() < 0.3
        graph.habits.repeats = chance.random() < 0.3
        await sandbox.pushes.deliver()
        for found in shop.pages():
            book.keep(found, clock.now)
        shop.receipts.clear()
        await book.poll(hasty, "conversations", clock.now)
        sandbox.subscribe(page, shop.url)
    sandbox.faults.lift()
    await book.poll(pages, "conversations", clock.now)

    assert book.failed > 20
    said = {one.id: one for one in page.said}
    assert len(said) > 100
    assert {
        id_: (m.body, m.sent_at, m.party is Party.BUYER) for id_, m in book.messages.items()
    } == {
        one.id: (one.text, one.at.replace(microsecond=0), one.author == "person")
        for one in said.values()
    }
    policies = spec.policies(optioned())
    waiting = {p.id for p in page.people.values() if page.is_waiting(p)}
    open_ = {
        thread for thread in {m.thread for m in book.messages.values()}
        if any(c.ended is None for c in book.clocks(thread, policies, ThreadKind.CHAT))
    }  # fmt: skip
    assert open_ == waiting
