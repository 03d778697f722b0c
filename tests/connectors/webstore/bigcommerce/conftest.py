"""One store at BigCommerce and a clock that stands; a connector for it."""

from __future__ import annotations

import pytest

from connectors.webstore.bigcommerce.options import BigCommerceOptions
from connectors.webstore.bigcommerce.sandbox.server import Sandbox
from core.stage import walk

ENDPOINT = "https://push.store.example/push/webstore/toys"


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        sandbox.deliveries.is_held = True
        yield sandbox


@pytest.fixture
def store(sandbox):
    return sandbox.add_store()


@pytest.fixture
def optioned(sandbox, store):
    """Options of an account, with more of them: `optioned(overlap="1h")`."""

    def optioned(token=None, **more):
        return BigCommerceOptions(kind="bigcommerce", **{**sandbox.options(store, token), **more})

    return optioned


@pytest.fixture
def bigcommerce(opened):
    return opened()


@pytest.fixture
def push(store):
    """The options of an account that is pushed to."""
    return {"push": {"endpoint": ENDPOINT, "client_secret": store.client_secret}}


@pytest.fixture
def read(bigcommerce, clock):
    """All pages of one walk: `await read()`, `await read(cursor)`."""

    async def read(cursor=None, *, by=None):
        return await walk(by or bigcommerce, "messages", cursor, clock.now)

    return read
