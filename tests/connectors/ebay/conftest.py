"""eBay's stand-in with a seller and a clock that stands; calls, and a connector, for him."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.ebay import spec
from connectors.ebay.access import Access
from connectors.ebay.options import EbayOptions
from connectors.ebay.sandbox.server import Sandbox
from core.connector import Transport
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
def market(sandbox):
    return sandbox.market


@pytest.fixture
def seller(market):
    return market.add_seller("shop-b")


@pytest.fixture
def desk(seller):
    return seller.desk


@pytest.fixture
def buyer(market):
    return market.add_member("buyer-a")


@pytest.fixture
def http(session):
    return Http(session, limits=QUICK)


@pytest.fixture
def optioned(sandbox, seller):
    """Options that lead to the seller: `optioned(messages_by="trading")`."""

    def optioned(of=None, **more):
        return EbayOptions.model_validate({**sandbox.options(of or seller), **more})

    return optioned


@pytest.fixture
def options(optioned):
    return optioned()


@pytest.fixture
def access(options, http):
    return Access(options, http)


@pytest.fixture
def opened(optioned, http):
    """A connector with options of its own: `opened(disputes=False)`."""

    def opened(of=None, **more):
        return spec.open(optioned(of, **more), Transport(http))

    return opened


@pytest.fixture
def ebay(opened):
    return opened()
