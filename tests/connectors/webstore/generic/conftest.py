"""A store of some shape and a clock that stands; a connector for it."""

from __future__ import annotations

import pytest

from connectors.webstore import spec
from connectors.webstore.generic.options import GenericOptions
from connectors.webstore.generic.sandbox.server import Sandbox
from core.connector import Transport
from core.stage import walk
from core.transport.http import Http
from core.transport.smtp import Smtp
from tests.connectors.standing import QUICK
from tests.connectors.webstore.generic.shapes import FLAT, changed


class Place:
    """A shop at its stand-in, with the options that lead there."""

    def __init__(self, sandbox, shape, session):
        self.sandbox, self.session = sandbox, session
        self.shop = sandbox.add_shop(GenericOptions(**shape))
        self.shape = {**shape, **sandbox.options(self.shop)}
        self.options = GenericOptions(**self.shape)

    @classmethod
    def of(cls, sandbox, options, session):
        """The same for *options* as they were read from settings."""
        place = cls.__new__(cls)
        place.sandbox, place.session = sandbox, session
        place.shop = sandbox.add_shop(options)
        there = sandbox.options(place.shop)
        place.options = GenericOptions.model_validate({**dict(options), **there})
        return place

    def opened(self, *, limits=QUICK, **more):
        """A connector, its options written otherwise where *more* says so."""
        options = GenericOptions(**changed(self.shape, **more)) if more else self.options
        return spec.open(options, Transport(Http(self.session, limits=limits), smtp=Smtp()))

    async def read(self, cursor=None, *, by=None, now=None):
        """All pages of one walk."""
        return await walk(by or self.opened(), "messages", cursor, now or self.sandbox.now())


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        sandbox.deliveries.is_held = True
        yield sandbox


@pytest.fixture
def placed(sandbox, session):
    """A shop of this shape: `placed(WHOLE)`, `placed(FLAT, overlap="1h")`."""

    def placed(shape=FLAT, **more):
        return Place(sandbox, changed(shape, **more), session)

    return placed
