"""What tests of connectors that speak by mail share: a mailbox, a stage, a day that is replayed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from random import Random

from core.connector import Transport
from core.errors import ConnectorError
from core.sandbox import mail
from core.stage import Watch
from core.transport import mailbox, smtp
from core.transport.http import Http, open_session
from core.transport.login import Login
from core.transport.smtp import Smtp

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PASSWORD = "p4ss-word of the shop"

QUICK = mailbox.Limits(connect=5, answer=5, command=5, opening=5, courtesy=2)
HASTY = mailbox.Limits(connect=0.5, answer=0.5, command=0.5, opening=0.5, courtesy=0.5)
QUICK_SMTP = smtp.Limits(connect=5, command=5, before=5, letter=5)
HASTY_SMTP = smtp.Limits(connect=0.5, command=0.5, before=0.5, letter=0.5)

POLLS, EVERY = 144, timedelta(minutes=10)
FAULTS = ("imap_drop", "imap_limit", "imap_refuse_login", "imap_refuse_folder", "imap_silent")


def faults(fault):
    """What happens to who reads, and to who sends, where by HTTP *fault* does elsewhere."""
    if fault.kind in {"slow", "drop"}:
        return {
            "slow": ("imap_silent", "smtp_slow"),
            "drop": ("imap_drop", "smtp_drop_after_data"),
        }[fault.kind]
    if fault.kind in {"truncated", "missing"} or fault.status in {400, 404}:
        return "imap_refuse_folder", "smtp_refuse_recipient"
    return {
        401: ("imap_refuse_login", "smtp_refuse_login"),
        403: ("imap_refuse_login", "smtp_refuse_sender"),
        425: ("imap_drop", "smtp_refuse_data"),
        429: ("imap_limit", "smtp_limit"),
    }.get(fault.status, ("imap_drop", "smtp_drop_after_data"))


class Shop:
    """A mailbox of *user* on a mail server, and connectors of *spec* that read it."""

    def __init__(self, server, session, user, spec):
        self.server, self.session, self.user, self.spec = server, session, user, spec
        self.boxes = []

    def told(self, **more):
        """The options of an account at this mailbox."""
        return {
            "user": self.user,
            "password": PASSWORD,
            "imap": {"host": "127.0.0.1", "port": self.server.imap_port, "tls": "none"},
            "smtp": {"host": "127.0.0.1", "port": self.server.smtp_port, "tls": "none"},
            "sender": self.user,
            "authserv_ids": ["mx.shop.example"],
            "poll_every": "2s",
            **more,
        }

    def options(self, **more):
        return self.spec.options.model_validate(self.told(**more))

    def opened(self, limits=QUICK, sending=QUICK_SMTP, observer=None, boxes=None, **more):
        """A connector with options of its own."""
        boxes = boxes or mailbox.Mailboxes(limits)
        self.boxes.append(boxes)
        transport = Transport(Http(self.session, observer or Watch()), boxes, Smtp(sending))
        return self.spec.open(self.options(**more), transport)

    async def put(self, raw, at=NOON, folder="INBOX"):
        """A letter that arrived *at*."""
        return await self.server.deliver(self.user, raw, at, folder)

    async def kept(self, folder="Sent"):
        """The letters in a folder, as their owner sees them."""
        async with mailbox.Mailboxes(QUICK) as boxes:
            where = {"host": "127.0.0.1", "port": self.server.imap_port, "tls": "none"}
            box = boxes.open(Login(user=self.user, password=PASSWORD, **where))
            page = await box.read(folder, None, NOON - timedelta(days=999), 999)
        return [each.raw for each in page.letters]


@asynccontextmanager
async def opened_shop(kind, user, spec, receive=None):
    """A mailbox of *user*, as a `Shop` of this *kind*."""
    async with mail.opened({user: PASSWORD}, receive) as server, open_session("test") as session:
        shop = kind(server, session, user, spec)
        yield shop
        for boxes in shop.boxes:
            await boxes.close()


class Stage:
    """Where a connector shows what it promises; faults by HTTP happen by IMAP and SMTP.

    *owner* is whose mailbox it is at the stand-in, and *letters* are those that its buyers wrote.
    """

    def __init__(self, sandbox):
        self.now = NOON
        self.sandbox = sandbox(lambda: self.now, seed=2)
        self.owner, self.letters = None, []

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    async def order(self, fault):
        if fault.kind == "duplicate":
            for letter in self.letters:
                self.owner.posts(letter)
            await self.sandbox.post.deliver()
        elif fault.kind == "unreadable":
            await self._spoil(self.letters[0])
        else:
            imap, sending = faults(fault)
            self.sandbox.mail.faults.order(imap, seconds=fault.retry_after or 0)
            self.sandbox.mail.faults.order(sending, seconds=1.5)

    async def _spoil(self, letter):
        """Nothing of what lay there can be read any more."""
        (lying,) = self.sandbox.post.lying[letter.message_id]
        await self.sandbox.mail.expunge(*lying)
        await self.sandbox.mail.deliver(lying.user, b"\x00\xff\x80", letter.at)

    def lift(self):
        self.sandbox.mail.faults.lift()


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

    def shown(self, *names):
        """What messages say in these fields, by their ids."""
        return {one.id: attrgetter(*names)(one) for one in self.messages.values()}


async def replayed(sandbox, clock, scene, user, opened):
    """A day of polls while *scene* plays and servers fail; what was kept of it.

    And what one finds at its end who never looked before, and whose servers answer.
    *opened* gives a connector for a transport.
    """
    random, book, truth = Random(11), Book(), Book()
    async with (
        open_session("test") as session,
        mailbox.Mailboxes(HASTY) as hasty,
        mailbox.Mailboxes(QUICK) as patient,
    ):
        connector = opened(Transport(Http(session, Watch()), hasty, Smtp()))
        again = scene.once(clock.now)
        for number in range(POLLS):
            clock.now += EVERY
            while again <= clock.now:
                again = scene.once(clock.now)
            await sandbox.post.deliver()
            if random.random() < 0.2:
                sandbox.mail.faults.order(random.choice(FAULTS), 1)
            if number in {45, 90}:
                await sandbox.mail.renumber(user, "INBOX")
            await book.poll(connector, clock.now)
        sandbox.mail.faults.lift()
        await book.poll(connector, clock.now)
        await truth.poll(opened(Transport(Http(session), patient, Smtp())), clock.now)
    assert book.failed > 10
    assert book.twice > 100, "the mailbox was numbered anew"
    return book, truth
