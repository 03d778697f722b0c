"""A daemon's door that a kind's stand-in pushes to, and what became of the pushes."""

from __future__ import annotations

from contextlib import asynccontextmanager

from connectors.webstore import spec
from core.configuration.sections import Push as Listening
from core.connector import Transport
from core.measuring.facts import Names
from core.metrics import Metrics
from core.transport.http import Http
from core.transport.smtp import Smtp
from core.web import app, push
from tests.connectors.standing import QUICK
from tests.core import pages
from tests.core.pages import HOUR


class Door:
    """A daemon's door for *account*, shut as long as its `pool` is None.

    Its `url` is where the account is pushed to; *usual* are the topics that are counted where a
    test names none.
    """

    def __init__(self, account, rules, topics, usual):
        self.account, self.rules, self.usual = account, rules, usual
        self.metrics = Metrics()
        told = tuple(("empik", topic) for topic in (*topics, "other"))
        self.metrics.declare(Names(accounts=(("empik", account),), topics=told))
        self.options, self.connector, self.pool, self.url, self.since = None, None, None, "", None

    async def opens(self, pool, options, session, **changes):
        """What is pushed from now on is read by *options*, as if monitored for an hour."""
        self.options = options
        self.connector = spec.open(options, Transport(Http(session, limits=QUICK), smtp=Smtp()))
        self.pool = pool
        setup = pages.setup(self.account, *spec.streams(options), **changes)
        await pages.monitored(pool, self.since, setup)

    def counted(self, outcome, *topics):
        """How many pushes ended so."""
        named = [
            {"marketplace": "empik", "topic": topic, "outcome": outcome}
            for topic in topics or self.usual
        ]
        value = self.metrics.registry.get_sample_value
        return sum(value("replyby_pushes_total", of) for of in named)

    async def polled(self, stream, now):
        """What the poll that follows a push changes."""
        page = await self.connector.fetch(stream, None, None, now)
        read = (*page.messages, *page.threads)
        return await pages.stored(self.pool, now, *read, account=self.account, of=self.rules)

    async def refuses_the_unsigned(self, session, pool, body=b"{}"):
        async with session.post(self.url, data=body) as answer:
            assert answer.status == 401
        assert await stored(pool) == []
        assert self.counted("no_signature", "other") == 1


@asynccontextmanager
async def served(account, rules, clock, *, topics, usual, woken=()):
    """A door for *account*, which has yet to be opened; *woken* are the streams that it wakes."""
    door = Door(account, rules, topics, usual)
    door.since = clock() - HOUR
    given = push.Intake(
        pool=lambda: door.pool,
        rules=lambda: rules,
        metrics=door.metrics,
        now=clock,
        sure=lambda: True,
        woken=lambda account: woken,
        receiver=lambda connector, name: door.connector,
        options=lambda connector: {account: door.options},
    )
    listening = Listening(listen="127.0.0.1:0")
    async with app.served("push", listening, push.application(given, 2**20)) as url:
        door.url = f"{url}/push/webstore/{account}"
        yield door


async def stored(pool):
    """The bodies of all messages that are stored."""
    return sorted(row["body"] for row in await pages.rows(pool, "message"))
