"""Messenger keeps what every connector promises."""

from __future__ import annotations

import pytest

from core.conformance import ConnectorConformance
from tests.connectors.webstore.meta.paging import PageStage


class TestMessenger(ConnectorConformance):
    many = 60

    @pytest.fixture
    async def stage(self):
        async with PageStage("messenger") as stage:
            yield stage
