"""A day of a chat widget, replayed: every kind of fault, lost pushes, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from connectors.webstore import spec
from connectors.webstore.chatwoot import offer
from connectors.webstore.chatwoot.sandbox.stage import InboxStage
from core.connector import Transport
from core.errors import ConnectorError
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from sla.policy import ThreadKind
from tests.connectors.books import Book

PROMISE = timedelta(minutes=20)
PATIENT = replace(offer.CHAT, reply_within=PROMISE)
EVERY = timedelta(minutes=5)
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.5)
FAULTS = ("drop", "reset", "truncated", "slow", "duplicate")


class Widget(Book):
    """A book of one inbox."""

    async def look(self, connector, now):
        """What core does with threads of which not all could be read."""
        unread = sorted(one.id for one in self.threads.values() if one.incomplete)
        try:
            self.keep(await connector.look(unread, now), now)
        except ConnectorError:
            self.failed += 1

    def ends(self):
        """Of each thread: who waited from when to when, and how it ended."""
        return {
            name: [
                (c.waits_for, c.started_at, c.stopped_at, c.ended)
                for c in self.clocks(name, (PATIENT,), ThreadKind.CHAT)
            ]
            for name in self.threads
        }


def spoil(faults):
    for kind in FAULTS:
        faults.order(kind, share=0.01 if kind == "slow" else 0.03, delay=0.6)
    for status in (429, 500, 503, 404):
        faults.order("status", status=status, share=0.03)


async def test_a_day_of_faults_ends_with_all_that_chatwoot_has(
    sandbox, account, inbox, optioned, session, clock
):
    stage = InboxStage(sandbox, inbox)
    scene = Scene(stage, within=PROMISE, seed=7, threads=1000, pace=1.0)
    options = optioned(look_back="9d")
    connector = spec.open(options, Transport(Http(session, limits=IMPATIENT)))
    patient = spec.open(options, Transport(Http(session)))
    book, begun, again = Widget(), clock.now, scene.once(clock.now)
    spoil(sandbox.faults)
    while clock.now < begun + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        await book.poll(connector, "conversations", clock.now)
        await book.look(connector, clock.now)
    sandbox.faults.lift()
    await book.poll(patient, "conversations", clock.now)
    await book.look(patient, clock.now)
    truth = Widget()
    await truth.poll(patient, "conversations", clock.now)

    written = [one for chat in account.chats.values() for one in chat.messages]
    assert book.failed > 30
    assert len(account.chats) > 50
    assert book.messages == truth.messages
    assert set(book.messages) == {str(one.id) for one in written}
    assert book.ends() == truth.ends()
    ended = [how for ends in book.ends().values() for *_, how in ends]
    assert {"met", "late", None} <= set(ended)
