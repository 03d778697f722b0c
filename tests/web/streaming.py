"""Open boards over real HTTP, as a browser hears them."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from core.store import connect, transaction, wake
from tests.core import seeds
from tests.core.seeds import HOUR
from tests.web import board
from tests.web.board import NOW

KEY = re.compile(r'data-key="([^"]+)"')
ENDED = "update clock set ended = 'met' where (account, thread) = ($1, $2)"


@dataclass
class Event:
    name: str = ""
    id: str | None = None
    data: list[str] = field(default_factory=list)

    @property
    def text(self):
        return "\n".join(self.data)

    @property
    def keys(self):
        """The lines in it, and those that it takes away."""
        rows = re.findall(r"<tr [^>]*>", self.text)
        gone = {KEY.search(row)[1] for row in rows if "data-gone" in row}
        return {KEY.search(row)[1] for row in rows} - gone, gone


class Stream:
    """A stream as a browser reads it."""

    def __init__(self, answer):
        self.answer, self.headers = answer, answer.headers

    async def next(self, *names):
        """The next event that is called one of *names*; comments are passed over."""
        async with asyncio.timeout(20):
            while True:
                found = await self._event()
                if found is None or found.name in names:
                    return found

    async def _event(self):
        found = Event()
        while line := (await self.answer.content.readline()).decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "event":
                found.name = value
            elif name == "id":
                found.id = value
            elif name == "data":
                found.data.append(value)
            elif line == "\n" and found.name:
                return found
        return None

    async def ended(self):
        """Read until the other side ends it."""
        async with asyncio.timeout(20):
            await self.answer.content.read()
        return True


@asynccontextmanager
async def listening(browser, path="/live", **headers):
    endless = aiohttp.ClientTimeout(total=None)
    async with browser.session.get(browser.base + path, headers=headers, timeout=endless) as answer:
        assert answer.status == 200, await answer.text()
        yield Stream(answer)


@asynccontextmanager
async def opened(stage, base, path="/live"):
    """A stream of somebody who is signed in."""
    async with board.signed_in(stage, base) as browser, listening(browser, path) as stream:
        yield stream


@asynccontextmanager
async def hearing(stage, address):
    """Let *stage* hear what the database says, as a daemon's worker does."""
    connection = await connect(address)
    await wake.listen(connection, {}, stage.changes)
    try:
        yield
    finally:
        await connection.close()


async def put(pool, thread="T1", account="mk", due=HOUR, **changes):
    async with transaction(pool) as db:
        await seeds.put_thread(db, NOW, thread, account)
        await seeds.put_clock(db, NOW + due, thread=thread, account=account, **changes)
        await wake.changed(db, {account: [thread]})


async def end(pool, thread="T1", account="mk"):
    async with transaction(pool) as db:
        await db.execute(ENDED, account, thread)
        await wake.changed(db, {account: [thread]})
