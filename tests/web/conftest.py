"""The board as most tests of it want it: served on loopback, and a browser that nobody knows."""

import pytest
from argon2 import PasswordHasher
from structlog.testing import capture_logs

from core.desk import passwords
from tests.web import board


@pytest.fixture
def quick(monkeypatch):
    """Hashes that take no time; what the real ones cost is tried by itself."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(1, 64, 1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture
def stage(pool):
    return board.Stage(pool)


@pytest.fixture
async def base(stage):
    async with board.served(stage) as base:
        yield base


@pytest.fixture
def site(base):
    """The same, where what is tried is what stands on its pages."""
    return base


@pytest.fixture
async def browser(base):
    async with board.browsing(base) as browser:
        yield browser


@pytest.fixture
def logged():
    """What the log says, wherever it goes: what ran before may have set it up."""
    with capture_logs() as lines:
        yield lines
