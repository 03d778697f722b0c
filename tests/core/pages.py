"""Pages, accounts and readers that tests about ingest and polling start from."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta

from core import ingest
from core.model import Message, Page, Stream, Thread
from core.store import accounts, transaction
from core.store.accounts import Setup
from sla.clock import Kind
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import account, rules

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def buyer(id_, at, thread="T1", **changes):
    return Message(**{"id": id_, "thread": thread, "party": Party.BUYER, "sent_at": at} | changes)


def seller(id_, at, thread="T1", **changes):
    given = {"id": id_, "thread": thread, "party": Party.SELLER, "sent_at": at}
    return Message(**given | {"to": frozenset({Party.BUYER})} | changes)


def mark(id_, at, thread="T1", **changes):
    given = {"id": id_, "thread": thread, "party": Party.MARKETPLACE, "sent_at": at}
    return Message(**given | {"kind": Kind.NO_REPLY_NEEDED, "level": "confirmed"} | changes)


def thread(id_="T1", *, as_of, **changes):
    return Thread(id=id_, as_of=as_of, **changes)


def page(*items, **changes):
    return Page(
        messages=tuple(item for item in items if isinstance(item, Message)),
        threads=tuple(item for item in items if isinstance(item, Thread)),
        given=tuple(item for item in items if isinstance(item, tuple)),
        **changes,
    )


def setup(name="mk", *streams, budget="budget", **changes):
    streams = streams or (Stream("threads", MINUTE),)
    return Setup(account(name, **changes), streams, budget)


async def monitored(pool, since, *setups):
    async with transaction(pool) as db:
        return await accounts.sync(db, setups or [setup()], since)


async def stored(pool, now, *items, of=None, sure=True, account="mk"):
    """What became of one page, in a transaction of its own."""
    async with transaction(pool) as db:
        return await ingest.page(db, of or rules(), account, page(*items), now, None, sure=sure)


@asynccontextmanager
async def undone(pool):
    """A transaction that leaves nothing behind."""
    async with pool.acquire() as db:
        change = db.transaction()
        await change.start()
        yield db
        await change.rollback()


async def rows(pool, table, order="1, 2"):
    """Every row; clocks with what is remembered of them, and next, beside them."""
    async with pool.acquire() as db:
        if table == "clock":
            return await seeds.clock_rows(db)
        return [dict(row) for row in await db.fetch(f"select * from {table} order by {order}")]


async def clock_rows(pool):
    """(thread, started_by, ended, reason) of every clock, by id."""
    async with pool.acquire() as db:
        found = await db.fetch("select thread, started_by, ended, reason from clock order by id")
        return [tuple(row) for row in found]
