"""One PrestaShop in Paris and a clock that stands; a connector for it."""

from __future__ import annotations

import pytest

from connectors.webstore.prestashop.options import PrestaShopOptions
from connectors.webstore.prestashop.sandbox.server import Sandbox
from core.stage import walk


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def shop(sandbox):
    return sandbox.add_shop()


@pytest.fixture
def optioned(sandbox, shop):
    """Options of an account, with more of them: `optioned(id_shop=2)`."""

    def optioned(key=None, **more):
        return PrestaShopOptions(kind="prestashop", **{**sandbox.options(shop, key), **more})

    return optioned


@pytest.fixture
def prestashop(opened):
    return opened()


@pytest.fixture
def read(prestashop, clock):
    """All pages of one walk: `await read()`, `await read(cursor)`."""

    async def read(cursor=None, *, by=None):
        return await walk(by or prestashop, "messages", cursor, clock.now)

    return read
