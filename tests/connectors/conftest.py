"""What connectors need to call a stand-in."""

from __future__ import annotations

import pytest

from core.transport.http import open_session

pytest.register_assert_rewrite("tests.connectors.described", "tests.connectors.mailing")


@pytest.fixture
async def session():
    async with open_session("test") as session:
        yield session
