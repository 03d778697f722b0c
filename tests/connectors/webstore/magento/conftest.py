"""One Magento shop and a clock that stands; a connector for it."""

from __future__ import annotations

import pytest

from connectors.webstore.magento.options import MagentoOptions
from connectors.webstore.magento.sandbox.server import Sandbox
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
    """Options of an account, with more of them: `optioned(overlap="1h")`."""

    def optioned(token=None, **more):
        return MagentoOptions(kind="magento", **{**sandbox.options(shop, token), **more})

    return optioned


@pytest.fixture
def magento(opened):
    return opened()


@pytest.fixture
def read(magento, clock):
    """All pages of one walk: `await read()`, `await read(cursor)`."""

    async def read(cursor=None, *, by=None):
        return await walk(by or magento, "orders", cursor, clock.now)

    return read
