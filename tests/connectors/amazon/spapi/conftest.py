"""A seller at an SP-API on loopback, and what an account of his does there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.amazon.options import AmazonOptions
from connectors.amazon.sandbox.spapi import SellingApi
from connectors.amazon.sandbox.spapi_market import Bought
from connectors.amazon.spapi.partner import Partner
from core.transport.http import Http, Limits
from tests.connectors.standing import Clock

DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ORDER = "302-1234567-1234567"
QUICK = Limits(first_wait=0.0, longest_wait=0.0, patience=0.0, total=5.0)
NOWHERE = {"host": "127.0.0.1", "port": 1, "tls": "none"}


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
async def api(clock):
    async with SellingApi(clock, seed=1) as api:
        yield api


@pytest.fixture
def selling(api, clock):
    selling = api.add_selling("eu", (DE,))
    selling.bought(Bought(ORDER, DE, clock() - timedelta(days=4)))
    return selling


def options(selling, *marketplaces, **more):
    return AmazonOptions(
        user="shop", password="p", imap=NOWHERE, smtp=NOWHERE, sender="support@shop.example",
        authserv_ids=("mx",), marketplaces=marketplaces or selling.marketplaces,
        sp_api={**selling.options(), **more},
    )  # fmt: skip


@pytest.fixture
def opened(selling, session):
    """The account, with options of its own: `opened(client_secret="x")`."""

    def opened(*marketplaces, limits=QUICK, of=None, **more):
        found = options(of or selling, *marketplaces, **more)
        return Partner(found, found.sp_api, Http(session, limits=limits))

    return opened


@pytest.fixture
def partner(opened):
    return opened()
