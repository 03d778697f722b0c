"""One store at Shopify and a clock that stands; a connector for it."""

from __future__ import annotations

import pytest

from connectors.webstore.shopify.options import ShopifyOptions
from connectors.webstore.shopify.sandbox.server import Sandbox
from core.stage import walk

ENDPOINT = "https://push.store.example/push/webstore/toys"


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        sandbox.deliveries.is_held = True
        yield sandbox


@pytest.fixture
def shop(sandbox):
    return sandbox.add_shop()


@pytest.fixture
def optioned(sandbox, shop):
    """Options of an account, with more of them: `optioned(overlap="1h")`."""

    def optioned(token=None, of=shop, **more):
        return ShopifyOptions(kind="shopify", **{**sandbox.options(of, token), **more})

    return optioned


@pytest.fixture
def shopify(opened):
    return opened()


@pytest.fixture
def push():
    """The options of an account that is pushed to."""
    return {"push": {"endpoint": ENDPOINT}}


@pytest.fixture
def read(shopify, clock):
    """All pages of one walk: `await read()`, `await read(cursor)`, `await read(of="disputes")`."""

    async def read(cursor=None, *, by=None, of="orders"):
        return await walk(by or shopify, of, cursor, clock.now)

    return read
