"""eBay's stand-in with one seller and a clock that stands; his conversations through our eyes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.ebay.access import Access
from connectors.ebay.messages.conversations import Messages
from connectors.ebay.options import EbayOptions
from core.transport.http import Http
from tests.connectors.standing import QUICK, Clock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
def seller(market):
    return market.add_seller("Quillons-Shop")


@pytest.fixture
def buyer(market):
    return market.add_member("quill_zen")


@pytest.fixture
def opened(sandbox, seller, session):
    """The seller's conversations with options of their own: `opened(look_back="1d")`."""

    def opened(limits=QUICK, **more):
        options = EbayOptions.model_validate({**sandbox.options(seller), **more})
        return Messages(Access(options, Http(session, limits=limits)), options)

    return opened


@pytest.fixture
def messages(opened):
    return opened()


class Walked:
    """The pages of a walk, put together as core does."""

    def __init__(self):
        self.pages, self.messages, self.threads, self.aside, self.cursor = [], {}, {}, [], None

    def add(self, page):
        self.pages.append(page)
        self.messages |= {m.id: m for m in page.messages}
        self.threads |= {t.id: t for t in page.threads}
        self.aside += page.set_aside
        self.cursor = page.cursor

    def bodies(self):
        return sorted(m.body for m in self.messages.values())


@pytest.fixture
def walk(clock):
    async def walk(fetch, cursor=None, *, between=None):
        found, position = Walked(), None
        while True:
            page = await fetch(cursor, position, clock())
            found.add(page)
            if not page.more:
                return found
            assert page.position != position
            position = page.position
            if between:
                between()

    return walk
