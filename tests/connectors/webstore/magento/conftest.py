"""One Magento shop and a clock that stands; a connector for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.webstore import spec
from connectors.webstore.magento.options import MagentoOptions
from connectors.webstore.magento.sandbox.server import Sandbox
from core.connector import Transport
from core.model import Draft
from core.stage import walk
from core.transport.http import Http
from tests.connectors.standing import QUICK, Clock

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    return Clock(NOON)


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
def opened(optioned, session):
    """A connector with options of its own."""

    def opened(token=None, *, limits=QUICK, **more):
        return spec.open(optioned(token, **more), Transport(Http(session, limits=limits)))

    return opened


@pytest.fixture
def magento(opened):
    return opened()


@pytest.fixture
def read(magento, clock):
    """All pages of one walk: `await read()`, `await read(cursor)`."""

    async def read(cursor=None, *, by=None):
        return await walk(by or magento, "orders", cursor, clock.now)

    return read


@pytest.fixture
def draft(clock):
    """An answer: `draft("Sorry!", thread.id)`."""

    def draft(body, thread, number=1, **more):
        return Draft(
            id=number, account="a", thread=str(thread), body=body, queued_at=clock.now, **more
        )

    return draft
