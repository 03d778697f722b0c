"""What connectors need to call a stand-in."""

from __future__ import annotations

import pytest

from core.transport.http import open_session


@pytest.fixture
async def session():
    async with open_session("test") as session:
        yield session
