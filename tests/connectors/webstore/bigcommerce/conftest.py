"""One store at BigCommerce and a clock that stands; a connector for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.webstore import spec
from connectors.webstore.bigcommerce.options import BigCommerceOptions
from connectors.webstore.bigcommerce.sandbox.server import Sandbox
from core.connector import Transport
from core.model import Draft
from core.stage import walk
from core.transport.http import Http
from core.transport.smtp import Smtp
from tests.connectors.standing import QUICK, Clock

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ENDPOINT = "https://push.store.example/push/webstore/toys"


@pytest.fixture
def clock():
    return Clock(NOON)


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
def opened(optioned, session):
    """A connector with options of its own."""

    def opened(token=None, *, limits=QUICK, **more):
        return spec.open(
            optioned(token, **more), Transport(Http(session, limits=limits), smtp=Smtp())
        )

    return opened


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


@pytest.fixture
def draft(clock):
    """An answer: `draft("Sorry!", thread.id)`."""

    def draft(body, thread, number=1, **more):
        return Draft(
            id=number, account="a", thread=str(thread), body=body, queued_at=clock.now, **more
        )

    return draft
