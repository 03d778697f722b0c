"""A day in a shop's mailbox, replayed: 144 polls, faults, and nothing is lost, moved or doubled."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from connectors.webstore import spec
from connectors.webstore.mailbox.options import MailboxOptions
from connectors.webstore.mailbox.sandbox import stage
from connectors.webstore.mailbox.sandbox.server import Sandbox
from connectors.webstore.mailbox.sandbox.stage import MailboxStage
from core.connector import Transport
from core.errors import ConnectorError
from core.sandbox.scene import Scene
from core.stage import Watch
from core.transport.http import Http, open_session
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp
from sla.clock import Kind
from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import NOON
from tests.connectors.webstore.mailbox.post import HASTY, QUICK

EVERY = timedelta(minutes=10)
FAULTS = ("imap_drop", "imap_limit", "imap_refuse_login", "imap_refuse_folder", "imap_silent")


class Book:
    """What core keeps: each letter as of its earliest instant, and the cursor."""

    def __init__(self):
        self.messages, self.aside, self.verdicts = {}, set(), {}
        self.cursor, self.failed, self.twice = None, 0, 0

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
        self.verdicts |= {one.id: one for one in page.verdicts}
        self.cursor = page.cursor

    def shown(self):
        return {m.id: (m.party, m.kind, m.sent_at, m.to) for m in self.messages.values()}


async def test_a_day_of_faults_ends_with_all_that_lies_in_the_mailbox():
    now, random = NOON, Random(11)
    sandbox = Sandbox(lambda: now, seed=3)
    async with (
        sandbox,
        open_session("test") as session,
        Mailboxes(HASTY) as hasty,
        Mailboxes(QUICK) as patient,
    ):
        shop = await sandbox.add_shop()
        told = {"kind": "mailbox", **sandbox.options(shop), "poll_every": "2s", "look_back": "3d"}
        options = MailboxOptions.model_validate({**told, "own_domains": ["shop.example"]})
        connector = spec.open(options, Transport(Http(session, Watch()), hasty, Smtp()))
        scene = Scene(
            MailboxStage(shop), within=timedelta(hours=2), seed=7, threads=1000, pace=0.1,
            script=stage.SCRIPT,
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
                await sandbox.mail.renumber(shop.user, "INBOX")
            await book.poll(connector, now)
        sandbox.mail.faults.lift()
        await book.poll(connector, now)
        truth = Book()
        await truth.poll(spec.open(options, Transport(Http(session), patient, Smtp())), now)

    assert book.failed > 10
    assert book.twice > 100, "the mailbox was numbered anew"
    assert len(shop.talks) > 80
    assert book.shown() == truth.shown()
    assert book.aside == truth.aside
    assert book.verdicts.keys() == truth.verdicts.keys()
    assert book.verdicts
    _agree(book, shop, now)


def _agree(book, shop, now):
    """What people wrote has come, each talk in a thread of its own, and nobody else's beside it."""
    look_back, homes = now - timedelta(days=3), {}
    for talk in shop.talks.values():
        told = [e for e in talk.entries if look_back < e.at < now - EVERY * 5]
        found = [book.messages[one.message_id] for one in told]
        assert all(
            (m.party is Party.BUYER) == (e.by == "buyer") for e, m in zip(told, found, strict=True)
        )
        assert all(m.kind is Kind.MESSAGE for m in found)
        assert len({m.thread for m in found}) <= 1
        for thread in {m.thread for m in found}:
            homes.setdefault(thread, set()).add(talk.id)
    assert all(len(talks) == 1 for talks in homes.values())
