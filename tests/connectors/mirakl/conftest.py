"""One operator with two shops and a clock that stands; a connector for the first of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.mirakl import spec
from connectors.mirakl.sandbox.server import Sandbox
from core.connector import Transport
from core.transport.http import Http
from sla.clock import clocks
from sla.policy import ThreadKind
from tests.connectors.books import turn
from tests.connectors.standing import QUICK, Clock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def operator(sandbox):
    return sandbox.add_operator("op")


@pytest.fixture
def other_shop(operator):
    """The key's default shop: what answers where `shop_id` is left out."""
    return operator.add_shop(1000, "Another shop")


@pytest.fixture
def shop(operator, other_shop):
    shop = operator.add_shop(2000, "My shop")
    shop.key = operator.add_key((1000, 2000), default=1000)
    return shop


@pytest.fixture
def opened(sandbox, shop, session):
    """A connector with options of its own: `opened(locale="fr_FR")`."""

    def opened(*, limits=QUICK, **more):
        given = {"base_url": sandbox.base_url("op"), "api_key": shop.key, "shop_id": 2000, **more}
        return spec.open(spec.options(**given), Transport(Http(session, limits=limits)))

    return opened


@pytest.fixture
def mirakl(opened):
    return opened()


@pytest.fixture
def read(mirakl, clock):
    """All pages of one walk as one: `await read()`, `await read("incidents", cursor)`."""
    return reader(mirakl, clock)


def reader(connector, clock):
    async def read(stream="messages", cursor=None, *, between=None):
        found, position = Everything(), None
        while True:
            page = await connector.fetch(stream, cursor, position, clock.now)
            found.add(page)
            if not page.more:
                return found
            position = page.position
            if between:
                between()

    return read


class Everything:
    """The pages of a walk, put together as core does."""

    def __init__(self) -> None:
        self.pages, self.messages, self.threads, self.given = [], {}, {}, {}
        self.set_aside, self.published, self.cursor = [], [], None

    def add(self, page):
        self.pages.append(page)
        self.messages |= {m.id: m for m in page.messages}
        self.threads |= {t.id: t for t in page.threads}
        self.given |= dict(page.given)
        self.set_aside += page.set_aside
        self.published += page.published
        self.cursor = page.cursor

    def of(self, thread):
        return [m for m in self.messages.values() if m.thread == thread.id]

    def clocks(self, thread, policies, now, *, kind=ThreadKind.MESSAGE):
        """The clocks of a thread, all of it seen *now*; *thread* is one, or an id."""
        name = getattr(thread, "id", thread)
        turns = [turn(m, now) for m in self.messages.values() if m.thread == name]
        fitting = [p for p in policies if kind in p.applies_to]
        given = [self.given[name]] if name in self.given else []
        return clocks(turns, fitting, given, kind=kind)
