"""Somebody who calls the stand-in's Post-Order on a Friday morning."""

from __future__ import annotations

from datetime import UTC, datetime

import aiohttp
import pytest

from connectors.ebay.sandbox.applications import SCOPES
from tests.connectors.standing import Clock

FRIDAY = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
def clock():
    return Clock(FRIDAY)


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def call(sandbox, session, seller):
    """Call one of eBay's hosts as the seller: (status, content, None where there is none)."""

    async def call(
        path, method="GET", *, host="api", scheme="IAF", by=None, site="EBAY_DE", **how
    ):  # fmt: skip
        by = by or seller
        token = by.application.mint(by, SCOPES)
        headers = {"Authorization": f"{scheme} {token}"}
        if site:
            headers["X-EBAY-C-MARKETPLACE-ID"] = site
        url = f"{sandbox.hosts[host]}{path}"
        async with session.request(method, url, headers=headers, **how) as answer:
            raw = await answer.read()
            return answer.status, await answer.json() if raw else None

    return call


@pytest.fixture
def ask(call):
    """A question to Post-Order that is answered."""

    async def ask(path, **query):
        status, content = await call(f"/post-order/v2{path}", params=query)
        assert status == 200, content
        return content

    return ask


@pytest.fixture
def send(call):
    """Something sent to Post-Order: its status and answer."""

    async def send(path, said=None):
        return await call(f"/post-order/v2{path}", "POST", json=said or {})

    return send
