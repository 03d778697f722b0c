"""The board served on loopback for a test, and people who are signed in to it.

`served(parts)` opens it, `signed_in` gives a client that is known; rooms test their pages by these.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import aiohttp.web

from core.access import Role
from core.configuration.access import Web
from core.configuration.board import Board
from core.configuration.sections import Ops
from core.errors import StoreUnavailable
from core.loops import Pulse, every
from core.metrics import Metrics
from core.store import people, sessions, transaction
from core.store.wake import Changes
from core.transport.http import Http
from core.web import app, ops, site
from core.web.count import Count
from core.web.signing import cookies, forms, networks
from core.web.signing.service import Signing
from core.web.ways import Parts
from tests.core import seeds

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = re.compile(r"\{[^}]+\}")
FIELD = re.compile(r'name="csrf" (?:value|content)="([0-9a-f]+)"')


@dataclass
class Clock:
    """A now that a test moves."""

    now: datetime = NOW

    def __call__(self):
        return self.now


@dataclass
class Stage:
    """What the board is made of; a test changes what it likes before and while it is served."""

    pool: Any
    web: Web = field(default_factory=lambda: Web(listen="127.0.0.1:0"))
    board: Board = field(default_factory=Board)
    accounts: dict[str, Any] = field(default_factory=dict)
    notifiers: dict[str, Any] = field(default_factory=dict)
    rules: Any = field(default_factory=lambda: seeds.rules(accounts=("mk", "other")))
    readers: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    metrics: Metrics = field(default_factory=Metrics)
    http: Any = None
    changes: Changes = field(default_factory=Changes)
    count: Count = field(default_factory=Count)

    def parts(self):
        watched = ops.Watched(self.metrics, Pulse(), self.clock, pool=self.pool, count=self.count)
        return Parts(
            watched=watched,
            pool=self.reached,
            settings=lambda: SimpleNamespace(
                web=self.web,
                board=self.board,
                accounts=self.accounts,
                notifiers=self.notifiers,
            ),
            rules=lambda: self.rules,
            readers=lambda: self.readers,
            metrics=self.metrics,
            now=self.clock,
            changes=self.changes,
        )

    def reached(self):
        """The pool; None stands for a database that was never reached."""
        if self.pool is None:
            raise StoreUnavailable("the database was not reached yet")
        return self.pool


async def nothing(_request):
    """In place of a way's own answer: who is asked for it was let in."""
    return aiohttp.web.Response(text="let in")


def application(stage, http=None, answering=None, ways=None):
    """The board; every way is answered by *answering* where that is given."""
    signing = Signing(stage.parts(), lambda: http)
    ways = site.every() if ways is None else ways
    if answering is not None:
        ways = tuple(replace(way, answer=answering) for way in ways)
    made = site.application(signing.parts, signing, ways)
    made.on_cleanup.append(signing.close)
    return made


@asynccontextmanager
async def served(stage, *, answering=None, ways=None):
    """The address of the board, or of other *ways*."""
    async with aiohttp.ClientSession() as outside:
        showing = application(stage, stage.http or Http(outside), answering, ways)
        async with app.served("web", stage.web, showing) as address:
            yield address


@asynccontextmanager
async def counting(stage):
    """The loop that counts clocks for who looks: without it each of them waits for it in vain."""
    stop, asked = asyncio.Event(), stage.count.asked

    async def once(now):
        await stage.count.once(stage.pool, now)

    turning = asyncio.create_task(every("count", once, stop, wake=asked))
    try:
        yield
    finally:
        stop.set()
        await turning


@dataclass
class Browser:
    """Somebody's browser: keeps cookies, follows nothing, shows forms' tokens."""

    session: aiohttp.ClientSession
    base: str

    async def get(self, path, **kw):
        return await self.ask("GET", path, **kw)

    async def ask(self, method, path, **kw):
        async with self.session.request(
            method, self.base + path, allow_redirects=False, **kw
        ) as answer:
            return Seen(answer.status, await answer.text(), answer.headers)

    async def post(self, path, data=None, *, form=None, **kw):
        """Send *data*, with the token that a form shows on the page *form*."""
        sent = dict(data or {})
        if form is not None:
            sent["csrf"] = (await self.get(form)).csrf
        return await self.ask("POST", path, data=sent, **kw)


@dataclass
class Seen:
    status: int
    text: str
    headers: Any

    @property
    def csrf(self):
        found = FIELD.search(self.text)
        return found[1] if found else ""


@asynccontextmanager
async def browsing(base, local="127.0.0.1", **headers):
    """A browser at the address *local*."""
    connector = aiohttp.TCPConnector(local_addr=(local, 0))
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=jar, headers=headers
    ) as session:
        yield Browser(session, base)


async def person(pool, name="anna", role=Role.AGENT, accounts=None, now=NOW):
    """Somebody who may sign in."""
    async with transaction(pool) as db:
        await people.add(db, name, name.title(), role, accounts, now)


async def begun(pool, name="anna", now=NOW, address="127.0.0.1"):
    """What the cookie of a new session of *name* holds."""
    secret = cookies.secret()
    near = networks.near(address)
    async with transaction(pool) as db:
        await sessions.begin(
            db, secret, name, "password", address=address, network=near, browser="", now=now
        )
    return secret


@asynccontextmanager
async def signed_in(stage, base, role=Role.AGENT, accounts=None, name="anna"):
    """The browser of somebody new who is signed in."""
    await person(stage.pool, name, role, accounts, stage.clock())
    secret = await begun(stage.pool, name, stage.clock())
    async with browsing(base) as browser:
        browser.session.cookie_jar.update_cookies({"replyby": secret}, aiohttp.client.URL(base))
        yield browser


@asynccontextmanager
async def somebody(stage, base, role, accounts=None):
    """A new person's browser, and the token of its forms; *role* None: nobody who is known."""
    if role is None:
        async with browsing(base, Cookie="replyby-visit=1") as browser:
            yield browser, forms.token("1")
        return
    name = f"person-{secrets.token_hex(4)}"
    await person(stage.pool, name, role, accounts, stage.clock())
    secret = await begun(stage.pool, name, stage.clock())
    async with browsing(base, Cookie=f"replyby={secret}") as browser:
        yield browser, forms.token(secret)


@asynccontextmanager
async def watched(stage):
    """The address of the listener for machines."""
    showing = ops.application(stage.parts().watched)
    async with app.served("ops", Ops(listen="127.0.0.1:0"), showing) as address:
        yield address
