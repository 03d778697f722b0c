"""A shop at the stand-in of the folder above, and somebody who calls it."""

from __future__ import annotations

from datetime import UTC, datetime

import aiohttp
import pytest

from tests.connectors.standing import Clock

NOON = datetime(2026, 3, 2, 12, 0, 1, 500_000, tzinfo=UTC)


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
def shop(operator):
    return operator.add_shop(2000, "My shop")


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def call(sandbox, session, shop):
    """Call the operator's API with the shop's key, or as *headers* say: (status, content)."""

    async def call(path, method="GET", *, operator="op", headers=None, raw=False, **how):
        headers = {"Authorization": shop.key} if headers is None else headers
        url = f"{sandbox.base_url(operator)}/api{path}"
        async with session.request(method, url, headers=headers, **how) as answer:
            if raw:
                return answer.status, answer.headers, await answer.read()
            return answer.status, await answer.json(content_type=None)

    return call


@pytest.fixture
def walk(call):
    """All pages of M11 from the given query on: a list of pages."""

    async def walk(between=lambda: None, **query):
        pages = []
        while True:
            status, page = await call("/inbox/threads", params=query)
            assert status == 200, page
            pages.append(page)
            if "next_page_token" not in page:
                return pages
            query = {"page_token": page["next_page_token"]}
            between()

    return walk
