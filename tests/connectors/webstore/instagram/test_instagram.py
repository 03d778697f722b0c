"""Instagram keeps what every connector promises."""

from __future__ import annotations

import pytest

from core.conformance import ConnectorConformance
from tests.connectors.webstore.meta.paging import PageStage


class TestInstagram(ConnectorConformance):
    many = 60

    @pytest.fixture
    async def stage(self):
        async with PageStage("instagram") as stage:
            yield stage
