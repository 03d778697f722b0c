"""A day at Amazon, replayed: 144 polls, every kind of fault, and nothing is lost or moved."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from connectors.amazon import spec
from connectors.amazon.sandbox import stories
from connectors.amazon.sandbox.seller import order_number
from connectors.amazon.sandbox.server import Sandbox
from connectors.amazon.sandbox.stage import SellerStage
from core.connector import Transport
from core.errors import ConnectorError
from core.sandbox.scene import Scene
from core.stage import Watch
from core.transport.http import Http, open_session
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp
from tests.connectors.amazon.post import HASTY, NOON, QUICK

EVERY = timedelta(minutes=10)
FAULTS = ("imap_drop", "imap_limit", "imap_refuse_login", "imap_refuse_folder", "imap_silent")
SURE = ("sender", "envelope", "footer")


class Book:
    """What core keeps: each letter as of its earliest instant, and the cursor."""

    def __init__(self):
        self.messages, self.aside, self.cursor, self.failed, self.twice = {}, set(), None, 0, 0

    async def poll(self, connector, now):
        """One walk; a page that came is kept with its cursor, for the stream is ascending."""
        position = None
        try:
            while True:
                page = await connector.fetch("mail", self.cursor, position, now)
                self.keep(page)
                if not page.more:
                    return
                position = page.position
        except ConnectorError:
            self.failed += 1

    def keep(self, page):
        for message in page.messages:
            known = self.messages.get(message.id)
            self.twice += known is not None
            if known is None or message.sent_at < known.sent_at:
                self.messages[message.id] = message
        self.aside |= {one.source_id for one in page.set_aside}
        self.cursor = page.cursor

    def shown(self):
        return {
            m.id: (m.thread, m.party, m.kind, m.sent_at, m.delivery) for m in self.messages.values()
        }


async def test_a_day_of_faults_ends_with_all_that_lies_in_the_mailbox():
    now, random = NOON, Random(11)
    sandbox = Sandbox(lambda: now, seed=3)
    async with (
        sandbox,
        open_session("test") as session,
        Mailboxes(HASTY) as hasty,
        Mailboxes(QUICK) as patient,
    ):
        seller = await sandbox.add_seller()
        told = {**sandbox.options(seller), "poll_every": "2s", "look_back": "3d"}
        options = spec.options.model_validate(told)
        connector = spec.open(options, Transport(Http(session, Watch()), hasty, Smtp()))
        scene = Scene(
            SellerStage(seller), within=timedelta(hours=2), seed=7, threads=1000, pace=0.1,
            script=stories.SCRIPT, number=order_number,
        )  # fmt: skip
        book, again = Book(), scene.once(now)
        for number in range(144):
            now += EVERY
            while again <= now:
                again = scene.once(now)
            await sandbox.post.deliver()
            if random.random() < 0.2:
                sandbox.mail.faults.order(random.choice(FAULTS), 1)
            if number in {45, 90}:
                await sandbox.mail.renumber(seller.mailbox.user, "INBOX")
            await book.poll(connector, now)
        sandbox.mail.faults.lift()
        await book.poll(connector, now)
        truth = Book()
        await truth.poll(spec.open(options, Transport(Http(session), patient, Smtp())), now)

    assert book.failed > 10
    assert book.twice > 100, "the mailbox was numbered anew"
    assert len(seller.cases) > 80
    assert book.shown() == truth.shown()
    assert book.aside == truth.aside
    _agree(book, seller, now)


def _agree(book, seller, now):
    """What buyers wrote has come, each in the thread of its case, and no other's beside it."""
    look_back = now - timedelta(days=3)
    homes = {}
    for case in seller.cases.values():
        asked = [e for e in case.entries if e.by == "buyer" and look_back < e.at < now - EVERY * 5]
        threads = {book.messages[e.message_id].thread for e in asked}
        assert len(threads) <= 1 or case.carries == "nowhere"
        for thread in threads:
            homes.setdefault(thread, set()).add(case.id)
        if case.carries in SURE:
            assert threads <= {f"case:{case.id}"}
    assert all(len(cases) == 1 for cases in homes.values())
