"""One WooCommerce shop and a clock that stands; a connector for it."""

from __future__ import annotations

import pytest

from connectors.webstore.woocommerce.options import WooCommerceOptions
from connectors.webstore.woocommerce.sandbox.server import Sandbox
from core.stage import walk

ENDPOINT = "https://push.shop.example/push/webstore/toys"
SECRET = "a secret of the webhooks"


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

    def optioned(key=None, **more):
        return WooCommerceOptions(kind="woocommerce", **{**sandbox.options(shop, key), **more})

    return optioned


@pytest.fixture
def woocommerce(opened):
    return opened()


@pytest.fixture
def push():
    """The options of an account that is pushed to."""
    return {"push": {"endpoint": ENDPOINT, "secret": SECRET}}


@pytest.fixture
def read(woocommerce, clock):
    """All pages of one walk: `await read()`, `await read(cursor)`."""

    async def read(cursor=None, *, by=None):
        return await walk(by or woocommerce, "orders", cursor, clock.now)

    return read
