"""The board in a real Chromium: an application on loopback in a thread of its own, rows invented.

Playwright's plain functions keep the thread in which they are called, so the server and its
database live in another: `Backstage.run` carries a coroutine there. Tests by these fixtures are
plain functions, in modules without asynchronous ones. A module imports `backstage`, `chromium` and
`showing`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import threading
from base64 import b64decode, b64encode
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from playwright.sync_api import expect, sync_playwright

from core import store
from core.access import Role
from core.configuration.access import Web
from core.loops import utcnow
from core.store import transaction, wake
from deploy.grafana.pictures.__main__ import HERE, QUIET
from tests.conftest import run_on
from tests.web import board

PATIENCE = 10_000
"""Milliseconds in which something comes to a page, or never does."""
expect.set_options(timeout=PATIENCE)
SIZES = {"wide": (1440, 900), "middle": (1024, 768), "phone": (360, 740)}
SHOTS = os.environ.get("REPLYBY_SHOTS")
"""A directory for pictures to look at; none are kept without it."""


class Backstage:
    """A loop in a thread: where the server runs that a browser asks."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine):
        """What *coroutine* returns, run in the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def close(self):
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Showing:
    """A board that is served: *stage* is what it is made of, *address* where it is."""

    def __init__(self, backstage, browser, stage):
        self.backstage, self.browser, self.stage = backstage, browser, stage
        self.address = ""
        self._served = AsyncExitStack()
        self._people = 0

    async def open(self, database):
        """Serve it, where it was served before; what changes in the *database* is heard."""
        self._database = database
        listener = await asyncpg.connect(**database)
        self._served.push_async_callback(listener.close)
        await wake.listen(listener, {}, self.stage.changes)
        self.address = await self._served.enter_async_context(board.served(self.stage))
        self.stage.web = Web(listen=self.address.removeprefix("http://"))

    async def close(self):
        """Serve it no more."""
        await self._served.aclose()
        self._served = AsyncExitStack()

    @contextmanager
    def away(self):
        """Not served, and then again."""
        self.backstage.run(self.close())
        yield
        self.backstage.run(self.open(self._database))

    def db(self, act):
        """What ``await act(db)`` returns, in a transaction."""

        async def acted():
            async with transaction(self.stage.pool) as db:
                return await act(db)

        return self.backstage.run(acted())

    @contextmanager
    def page(self, role=Role.AGENT, *, size="wide", accounts=None, name=None, **context):
        """A page of a browser in which somebody is signed in; *faults* is what it complained of."""
        width, height = SIZES[size]
        self._people += 1
        name = name or f"person-{self._people}"
        secret = self.backstage.run(self._signed_in(name, role, accounts))
        opened = self.browser.new_context(
            viewport={"width": width, "height": height},
            **({"locale": "en-GB", "base_url": self.address} | context),
        )
        opened.set_default_timeout(PATIENCE)
        opened.add_cookies([{"name": "replyby", "value": secret, "url": self.address}])
        opened.add_init_script(LISTEN)
        page = heard(opened.new_page())
        page.on("request", lambda sent: page.faults.extend(self._strange(sent.url)))
        try:
            yield page
            assert page.faults == []
            if context.get("java_script_enabled", True):
                assert page.evaluate("window.violations ?? []") == []
        finally:
            opened.close()

    async def _signed_in(self, name, role, accounts):
        await board.person(self.stage.pool, name, role, accounts, self.stage.clock())
        return await board.begun(self.stage.pool, name, self.stage.clock())

    def _strange(self, url):
        """*url*, if it is of another host."""
        return [] if urlsplit(url).netloc == urlsplit(self.address).netloc else [url]


LISTEN = """
window.violations = [];
addEventListener("securitypolicyviolation", (e) =>
    violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
"""


def heard(page):
    """*page*, with *faults*: what it complains of from now on."""
    page.faults = []
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.on("console", lambda said: said.type == "error" and page.faults.append(said.text))
    return page


def shot(page, name):
    """Keep a picture of what the page shows, to be looked at."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def packed(browser, raw):
    """The picture *raw* with at most 256 colours: a third of its size."""
    page = browser.new_page()
    page.add_script_tag(path=str(HERE / "pack.js"))
    small = page.evaluate("pack", b64encode(raw).decode())
    page.close()
    return b64decode(small)


@pytest.fixture(scope="module")
def backstage():
    made = Backstage()
    yield made
    made.close()


@contextmanager
def launched():
    """Chromium of the system."""
    if shutil.which("chromium") is None:
        if os.environ.get("CI"):
            pytest.fail("not installed: chromium (.ci/programs)", pytrace=False)
        pytest.skip("not installed: chromium (.ci/programs)")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def chromium(template):
    """Chromium, one a module. What runs loops by itself here has done so before."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def showing(backstage, server, template, chromium):
    """A board with a database of its own, empty, by the real clock."""
    name = f"replyby_{secrets.token_hex(6)}"
    address = {**server, "database": name}

    async def opened():
        await run_on(server, f"create database {name} template {template}")
        return board.Stage(await store.open_pool(address), clock=utcnow)

    async def closed():
        await made.close()
        await made.stage.pool.close()
        await run_on(server, f"drop database {name} with (force)")

    made = Showing(backstage, chromium, backstage.run(opened()))
    backstage.run(made.open(address))
    yield made
    backstage.run(closed())
