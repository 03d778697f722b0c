"""The dossiers of one seller at the stand-in, walked as core walks them."""

from __future__ import annotations

import pytest

from connectors.ebay.dossiers.reading import Dossiers
from tests.connectors.ebay.dossiers.files import Files


@pytest.fixture
def dossiers(access, options):
    return Dossiers(access, options)


@pytest.fixture
def files():
    return Files()


@pytest.fixture
def walk(dossiers, files, clock):
    """Walk a stream from where the last walk ended; its pages are stored."""
    cursors = {}

    async def walk(stream):
        now, position, pages = clock(), None, []
        while True:
            page = await dossiers.fetch(stream, cursors.get(stream), position, now)
            pages.append(files.take(page, clock()))
            if not page.more:
                break
            assert page.position != position
            position = page.position
        cursors[stream] = page.cursor
        return pages

    walk.cursors = cursors
    return walk


@pytest.fixture
def asked(sandbox):
    """How often each operation was asked since the last time."""

    def asked():
        found = [heard.operation for heard in sandbox.heard]
        sandbox.heard.clear()
        return {name: found.count(name) for name in found}

    return asked
