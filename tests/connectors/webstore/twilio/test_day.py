"""A day at a number, replayed: polls, lost pushes, every kind of fault; nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore.twilio import connector as twilio
from connectors.webstore.twilio import offer
from connectors.webstore.twilio.sandbox.stage import NumberStage
from core.connector import Transport
from core.pushes import PushRequest
from core.sandbox.scene import Scene
from core.transport.http import Http, Limits
from sla.clock import Delivery
from sla.policy import ThreadKind
from tests.connectors.books import Book
from tests.connectors.webstore.twilio.conftest import ENDPOINT

PROMISE = timedelta(hours=2)
EVERY = timedelta(minutes=5)
IMPATIENT = Limits(attempts=1, patience=0.0, total=0.5)


class Kept(Book):
    """A book as core keeps it: what a push does not date stays dated."""

    def keep(self, page, now):
        dates = {id_: one.sent_at for id_, one in self.messages.items()}
        super().keep(page, now)
        for message in page.messages:
            if message.sent_at is None and dates.get(message.id):
                dated = message.model_copy(update={"sent_at": dates[message.id]})
                self.messages[message.id] = dated


def spoil(faults):
    for kind in ("drop", "reset", "truncated", "slow", "duplicate"):
        faults.order(kind, share=0.01 if kind == "slow" else 0.03, delay=0.3)
    for status in (429, 500, 503, 404):
        faults.order("status", status=status, share=0.03)


async def push(connector, options, sandbox, book, now):
    """Two of three pushes come; some come twice, and what came last comes first."""
    made = list(sandbox.callbacks.made)[::-1]
    sandbox.callbacks.made.clear()
    for place, one in enumerate(made):
        headers = {name.lower(): value for name, value in one.headers.items()}
        request = PushRequest("POST", "/push/webstore/sms", {}, headers, one.body, {"a": options})
        for _ in range(place % 3):
            receipt = await connector.receive(request, now)
            assert receipt.status == 200
            for page in receipt.pages.values():
                book.keep(page, now)


@pytest.mark.parametrize("kind", ["phone", "whatsapp"])
async def test_a_day_of_faults_ends_with_all_that_twilio_has(
    sandbox, account, number, sender, optioned, session, clock, kind
):
    ours = number if kind == "phone" else sender
    scene = Scene(
        NumberStage(sandbox, account, ours), within=PROMISE, seed=7, threads=1000, pace=0.2
    )
    options = optioned(ours, endpoint=ENDPOINT)
    connector = twilio.opened(options, Transport(Http(session, limits=IMPATIENT)))
    patient = twilio.opened(options, Transport(Http(session)))
    streams = [one.name for one in offer.streams(options) if one.carries_clocks]
    book, begun = Kept(), clock.now
    spoil(sandbox.faults)
    again = scene.once(clock.now)
    sandbox.callbacks.made.clear()
    while clock.now < begun + timedelta(days=1):
        clock.now += EVERY
        while again <= clock.now:
            again = scene.once(clock.now)
        await push(connector, options, sandbox, book, clock.now)
        for stream in streams:
            await book.poll(connector, stream, clock.now)
    sandbox.faults.lift()
    truth = Kept()
    for stream in streams:
        await book.poll(patient, stream, clock.now)
        await truth.poll(patient, stream, clock.now)

    assert book.failed > 20
    theirs = {id_: one for id_, one in book.messages.items() if not id_.startswith("TR")}
    assert theirs == truth.messages
    assert len(theirs) > 150
    assert not [m for m in theirs.values() if m.delivery is Delivery.REFUSED]
    for which, policy in ((ThreadKind.CHAT, offer.CHAT), (ThreadKind.CALL, offer.CALL_BACK)):
        mine, real = (
            {t: [(c.started_at, c.stopped_at, c.ended) for c in one.clocks(t, [policy], which)]
             for t, told in truth.threads.items() if told.kind is which}
            for one in (book, truth)
        )  # fmt: skip
        assert mine == real
        assert kind == "whatsapp" or len(real) > 10
