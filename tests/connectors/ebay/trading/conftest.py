"""A seller who is read by the Trading API."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from connectors.ebay.access import Access
from connectors.ebay.sandbox.applications import SCOPE
from connectors.ebay.trading.fallback import Trading
from core.model import Draft, Message, Thread
from sla.policy import Party


@dataclass
class Store:
    """What pages have told, as core would keep it, and where the next walk begins."""

    cursor: str | None = None
    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    aside: list = field(default_factory=list)
    pages: int = 0

    def take(self, page):
        self.messages |= {one.id: one for one in page.messages}
        self.threads |= {one.id: one for one in page.threads}
        self.aside += page.set_aside
        self.pages += 1

    def of(self, thread):
        found = [one for one in self.messages.values() if one.thread == thread]
        return sorted(found, key=lambda one: one.sent_at)


@pytest.fixture
def seller(sandbox):
    """Consented before there was a scope for messages."""
    return sandbox.market.add_seller("shop-b", scopes=[SCOPE])


@pytest.fixture
def trading(optioned, http):
    options = optioned(messages_by="trading")
    return Trading(Access(options, http), options)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def walk(trading, store, clock):
    """A whole walk into the store."""

    async def walk():
        position = None
        while True:
            page = await trading.fetch(store.cursor, position, clock())
            store.take(page)
            if not page.more:
                store.cursor = page.cursor
                return store
            position = page.position

    return walk


@pytest.fixture
def order(seller, buyer):
    return seller.sells(buyer)


@pytest.fixture
def conversation(seller, buyer, order, clock):
    return seller.mailbox.open(buyer, "About my order", clock(), item=order.item)


@pytest.fixture
def says(seller, conversation, clock):
    """Somebody writes: `says(buyer, "Hi")`."""

    def says(who, body, *, to=None):
        said = seller.mailbox.write(conversation, who, body, clock())
        if to is not None:
            seller.exchanges.parents[said.id] = to.id
        return said

    return says


@pytest.fixture
def draft(clock):
    def draft(thread, body="It left today.", *, to=(Party.BUYER,), files=()):
        return Draft(
            id=1,
            account="ebay",
            thread=thread.id,
            body=body,
            to=frozenset(to),
            queued_at=clock(),
            files=files,
        )

    return draft
