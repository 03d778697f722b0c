"""A day at a marketplace, replayed: 288 polls, every kind of fault, and nothing is lost."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.mirakl import incidents, spec
from connectors.mirakl.sandbox.inbox import Habits
from connectors.mirakl.sandbox.opening import ShopStage
from core.connector import Transport
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from sla.policy import ThreadKind
from tests.connectors.books import Book

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=5)
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.5)


class Shop(Book):
    """A book in which a reading may repeat an earlier one, after another."""

    def compared(self, readings):
        return readings[-1:]

    def ends(self, policies, kind):
        """Of each thread: who waited from when to when, and how it ended."""
        threads = set(self.readings) | {m.thread for m in self.messages.values()}
        cases = {name for name in threads if incidents.order_of(name)}
        threads = cases if kind is ThreadKind.INCIDENT else threads - cases
        return {name: self._ends(name, policies, kind) for name in threads}

    def _ends(self, thread, policies, kind):
        found = self.clocks(thread, policies, kind)
        return [(c.waits_for, c.started_at, c.stopped_at, c.ended) for c in found]


def spoil(faults):
    for kind in ("drop", "reset", "truncated", "slow", "duplicate"):
        faults.order(kind, share=0.02 if kind == "slow" else 0.04, delay=0.3)
    for status in (429, 500, 503, 404):
        faults.order("status", status=status, share=0.04)


@pytest.mark.parametrize(
    "habits",
    [Habits(), Habits(since="latest", operator_asks=True, click_clears=True, dates="seconds")],
    ids=["first", "latest"],
)
async def test_a_day_of_faults_ends_with_all_that_the_marketplace_has(
    sandbox, operator, shop, session, clock, habits
):
    operator.habits = habits
    scene = Scene(ShopStage(sandbox, shop), within=PROMISE, seed=7, threads=1000, pace=0.2)
    options = spec.options(
        base_url=sandbox.base_url("op"), api_key=shop.key, shop_id=2000, operator="pccomponentes"
    )
    connector = spec.open(options, Transport(Http(session, limits=IMPATIENT)))
    patient = spec.open(options, Transport(Http(session)))
    book, begun = Shop(), clock.now
    spoil(sandbox.faults)
    again = scene.once(clock.now)
    while clock.now < begun + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        await book.poll(connector, "messages", clock.now)
        if clock.now.minute % 15 == 0:
            await book.poll(connector, "incidents", clock.now)
    sandbox.faults.lift()
    for stream in ("messages", "incidents"):
        await book.poll(patient, stream, clock.now)

    truth = Shop()
    for stream in ("messages", "incidents"):
        await truth.poll(patient, stream, clock.now)
    policies = spec.policies(options)
    assert book.failed > 30
    assert len(operator.threads) > 60
    assert book.messages == truth.messages
    assert len([m for m in book.messages.values() if m.body]) == sum(
        len(thread.messages) for thread in operator.threads.values()
    )
    assert book.ends(policies, ThreadKind.MESSAGE) == truth.ends(policies, ThreadKind.MESSAGE)
    lines = {incidents.thread_id(o.id, line.id): line for o in operator.orders.values()
             for line in o.lines}  # fmt: skip
    open_ = {name for name, line in lines.items() if line.state == "INCIDENT_OPEN"}
    assert set(json.loads(book.cursors["incidents"])["open"]) == open_
    ended = {name: ends[-1][2] for name, ends in book.ends(policies, ThreadKind.INCIDENT).items()
             if ends[-1][3]}  # fmt: skip
    closed = {name: line.updated_at for name, line in lines.items()
              if line.state == "INCIDENT_CLOSED"}  # fmt: skip
    assert len(closed) > 2
    assert ended == closed
