"""A robot fills in a shop's contact form: it is stored, told once, and delays nobody else."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.mailbox.options import MailboxOptions
from connectors.webstore.mailbox.sandbox.server import Sandbox
from core import deliver, poll, watch
from core.connector import Transport
from core.metrics import Metrics
from core.model import Account, NoticeKind
from core.reading import flooding
from core.reading.walk import Reader
from core.stage import Watch
from core.store import accounts, transaction
from core.transport.http import Http, open_session
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp
from tests.core import pages, seeds
from tests.core.test_floods import Chat

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BESIDE = 5
"""Letters of buyers to another mailbox, one after the other, while the flood is read."""
STORED = "select count(*) from message where account = $1"


class Shops:
    """Two mailboxes on one server, read into one database; ``form`` is flooded."""

    def __init__(self, pool, sandbox, session, boxes):
        self.pool, self.sandbox, self.now = pool, sandbox, NOON
        self.transport = Transport(Http(session, Watch()), boxes, Smtp())
        self.shops, self.readers, self.promises = {}, {}, {}
        self.metrics = Metrics()

    async def opens(self, name):
        shop = self.shops[name] = await self.sandbox.add_shop(f"{name}@shop.example")
        told = {"kind": "mailbox", **self.sandbox.options(shop), "own_domains": ["shop.example"]}
        options = MailboxOptions.model_validate({**told, "poll_every": "2s"})
        account = Account(
            name=name, connector="webstore", marketplace="webstore-mailbox", title=name,
            identity=name, letters=True,
        )  # fmt: skip
        streams = {one.name: one for one in spec.streams(options)}
        self.readers[name] = Reader(account, spec.open(options, self.transport), streams, name)
        self.promises[name] = tuple(spec.goals(options))

    @property
    def rules(self):
        plain = seeds.rules(accounts=tuple(self.readers), policies=self.promises)
        accounts = {name: reader.account for name, reader in self.readers.items()}
        return type(plain)(accounts, plain.policies, plain.routing)

    async def set_up(self):
        made = [
            accounts.Setup(one.account, tuple(one.streams.values()), one.budget)
            for one in self.readers.values()
        ]
        await pages.monitored(self.pool, NOON - timedelta(days=99), *made)
        for name in self.readers:
            await self.reads(name)

    async def arrive(self):
        await self.sandbox.post.deliver()

    async def reads(self, name):
        """One walk; how it ended."""
        told = await poll.account(
            self.pool, 1, self.readers[name], self.rules, self.metrics, self.now
        )
        return {stream: outcome for stream, (outcome, _) in told.items()}

    async def stored(self, name):
        async with self.pool.acquire() as db:
            return await db.fetchval(STORED, name)

    async def told(self, kind):
        return [one for one in await pages.rows(self.pool, "notice", "id") if one["kind"] == kind]

    async def is_told(self, chat):
        """Every step that has passed, to a notifier that takes a few a minute."""
        while (await watch.once(self.pool, self.rules, self.now)).told:
            pass
        for _ in range(20):
            to = {chat.name: chat}
            await deliver.once(self.pool, to, self.rules, {}, self.metrics, self.now)
            async with transaction(self.pool) as db:
                await db.execute(
                    "update dispatch set next_try_at = next_try_at - interval '3 s'"
                    " where sent_at is null"
                )


@pytest.fixture
async def shops(pool):
    @asynccontextmanager
    async def opened():
        async with (
            Sandbox(lambda: shops.now, seed=3) as sandbox,
            open_session("test") as session,
            Mailboxes() as boxes,
        ):
            shops = Shops(pool, sandbox, session, boxes)
            for name in ("form", "other"):
                await shops.opens(name)
            await shops.set_up()
            yield shops

    async with opened() as shops:
        yield shops


async def flooded(shops, many):
    """The robot's letters are read while buyers write to the other mailbox.

    Returns:
        How many of the robot's were stored when each of the buyers' was.
    """
    shops.shops["form"].robot_fills_form(many)
    await shops.arrive()
    flood, meanwhile = asyncio.create_task(shops.reads("form")), []
    seen = 0
    while not seen:
        await asyncio.sleep(0.01)
        seen = await shops.stored("form")
    for number in range(BESIDE):
        other = shops.shops["other"]
        talk = other.open(f"Ana {number}", f"ana{number}@buyers.example", f"Parcel {number}")
        other.buyer_writes(talk, "Where is it?")
        await shops.arrive()
        assert await shops.reads("other") == {"mail": "success"}
        meanwhile.append(await shops.stored("form"))
    assert await flood == {"mail": "success"}
    return meanwhile


async def test_a_form_that_a_robot_floods_is_stored_told_once_and_delays_no_other(
    shops, long_form, tell
):
    many = 10_000 if long_form else 2_000
    meanwhile = await flooded(shops, many)
    place = flooding.Place()
    for _ in range(20):
        await flooding.once(shops.pool, shops.rules, place, shops.now)
        shops.now += flooding.LOOK_EVERY

    # All of it is stored, each with a clock; and others were read before it was.
    tell("robot's letters", many)
    tell("of them stored when the other's last was", meanwhile[-1])
    assert await shops.stored("form") == many
    assert await shops.stored("other") == BESIDE
    assert meanwhile[-1] < many
    clocks = Counter(one["account"] for one in await pages.rows(shops.pool, "clock"))
    assert clocks == {"form": many, "other": BESIDE}


async def test_it_is_one_notice_and_its_warnings_and_breaches_leave_apart(shops):
    many = 1_000
    place, chat = flooding.Place(), Chat()
    chat.digest_after = BESIDE
    await flooding.once(shops.pool, shops.rules, place, shops.now)
    await flooded(shops, many)
    for _ in range(20):
        shops.now += flooding.LOOK_EVERY
        await flooding.once(shops.pool, shops.rules, place, shops.now)

    (notice,) = await shops.told(NoticeKind.FLOODED)
    assert (notice["account"], notice["facts"]) == ("form", {"since": NOON.isoformat(), "n": many})

    await shops.is_told(chat)
    shops.now = NOON + timedelta(hours=12, minutes=1)
    await shops.is_told(chat)
    shops.now = NOON + timedelta(hours=24, minutes=1)
    await shops.is_told(chat)

    told = [(one.account, one.kind) for one, _ in chat.got]
    counted = Counter()
    for one, _ in chat.got:
        counted[one.account] += sum(chat._told(one))
    assert told.count(("form", NoticeKind.FLOODED)) == 1
    assert {kind for account, kind in told if account == "form"} == {
        NoticeKind.FLOODED, NoticeKind.DIGEST,
    }  # fmt: skip
    assert {kind for account, kind in told if account == "other"} == {
        NoticeKind.WARNING, NoticeKind.BREACH,
    }  # fmt: skip
    assert counted == {"form": 1 + 2 * many, "other": 2 * BESIDE}
    assert len([one for one in told if one[0] == "form"]) < 10
    assert not [words for _, words in chat.got if "Visit my page" in words.text + words.subject]
