"""A day at a marketplace, replayed: 288 polls, every kind of fault, and nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from connectors.mirakl import incidents, spec
from connectors.mirakl.sandbox.inbox import Habits
from connectors.mirakl.sandbox.opening import ShopStage
from core.connector import Transport
from core.errors import ConnectorError
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from sla.clock import clocks
from sla.policy import ThreadKind

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=5)
TURN = ("id", "party", "kind", "sent_at", "to", "delivery", "level")
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.5)


class Book:
    """What core keeps: messages as first seen, readings appended, cursors of finished walks."""

    def __init__(self) -> None:
        self.messages, self.seen, self.readings, self.cursors = {}, {}, {}, {}
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

    def keep(self, page, now):
        for message in page.messages:
            self.messages[message.id] = message
            self.seen.setdefault(message.id, now)
        for thread, given in page.given:
            readings = self.readings.setdefault(thread, [])
            if not readings or replace(readings[-1], read_at=now) != replace(given, read_at=now):
                readings.append(given)

    def ends(self, policies, kind):
        """Of each thread: who waited from when to when, and how it ended."""
        threads = set(self.readings) | {m.thread for m in self.messages.values()}
        cases = {name for name in threads if incidents.order_of(name)}
        threads = cases if kind is ThreadKind.INCIDENT else threads - cases
        fitting = [p for p in policies if kind in p.applies_to]
        return {name: self._ends(name, fitting, kind) for name in threads}

    def _ends(self, thread, policies, kind):
        turns = [
            SimpleNamespace(**{n: getattr(m, n) for n in TURN}, seen_at=self.seen[m.id])
            for m in self.messages.values()
            if m.thread == thread
        ]
        found = clocks(turns, policies, self.readings.get(thread, []), kind=kind)
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
    book, begun = Book(), clock.now
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

    truth = Book()
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
