"""A day at a number, replayed: pushes twice, in disorder, to a door that is shut now and then."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from connectors.webstore.meta.sandbox.graph import QUIET
from connectors.webstore.meta.sandbox.stage import LineStage
from connectors.webstore.whatsapp import identity, offer
from core.errors import ConnectorError
from core.sandbox.scene import Scene
from sla.clock import Kind
from sla.policy import Party, ThreadKind
from tests.connectors.books import Book

PROMISE = timedelta(hours=1)
EVERY = timedelta(minutes=5)
MOODS = ("right", "right", "right", "wrong", "base64")


class Desk:
    """Somebody who answers now and then, each chat once; *refused* counts what did not leave."""

    def __init__(self, whatsapp, drafted, chance):
        self.whatsapp, self.drafted, self.chance = whatsapp, drafted, chance
        self.answered, self.refused = set(), 0

    async def answer(self, threads, now):
        for thread in threads:
            if thread.id in self.answered or self.chance.random() > 0.01:
                continue
            self.answered.add(thread.id)
            draft = self.drafted(thread, id=len(self.answered))
            try:
                await self.whatsapp.reply(thread, draft, now)
            except ConnectorError:
                self.refused += 1


async def test_a_day_of_faults_ends_with_all_that_was_said(
    sandbox, graph, line, whatsapp, endpoint, drafted, clock
):
    chance, begun, book = Random(3), clock.now, Book()
    desk = Desk(whatsapp, drafted, chance)
    scene = Scene(LineStage(sandbox, line), within=PROMISE, seed=7, threads=1000, pace=0.2)
    again = scene.once(clock.now)
    while clock.now < begun + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        endpoint.closed = chance.random() < 0.15
        graph.habits.repeats = chance.random() < 0.3
        graph.habits.shuffles = chance.random() < 0.5
        graph.habits.signs = chance.choice(MOODS)
        await sandbox.pushes.deliver()
        await desk.answer(endpoint.threads().values(), clock.now)
    endpoint.closed, graph.habits.signs = False, "right"
    while sandbox.pushes.waiting:
        clock.now += timedelta(hours=6)
        await sandbox.pushes.deliver()

    for page in endpoint.pages():
        book.keep(page, clock.now)
    assert {200, 401, 503} <= {tried.status for tried in sandbox.pushes.tried}
    said = {identity.message_id(one.id): one for one in line.said if one.author != "api"}
    told = {m.id: m for m in book.messages.values() if m.party is not Party.MARKETPLACE}
    assert len(said) > 150
    assert {name: shown(m) for name, m in told.items()} == {
        name: as_said(one) for name, one in said.items()
    }
    ours = {identity.message_id(one.id) for one in line.said if one.author == "api"}
    assert len(ours) == len(desk.answered) - desk.refused > 10
    assert ours <= {v.message_id for v in endpoint.verdicts().values()}
    (window,) = offer.policies(None)
    assert all(book.clocks(one, [window], ThreadKind.CHAT) for one in endpoint.threads())


def shown(message):
    is_buyer, asks = message.party is Party.BUYER, message.kind is Kind.MESSAGE
    return message.body, message.sent_at, is_buyer, asks


def as_said(one):
    at = one.at.replace(microsecond=0)
    return one.text, at, one.author == "person", one.type not in QUIET
