"""systemd's watchdog is fed by work that was done: the database answered, and every loop turns."""

from __future__ import annotations

import asyncio
import socket

import pytest

from core import settings
from core.errors import StoreUnavailable
from core.loops import Bell, Pulse
from core.metrics import Metrics
from core.running.rounds import Rounds
from core.running.state import State
from core.running.worker import Worker
from core.store import wake
from core.web.ops import STUCK_AFTER, Watched
from tests.core.test_settings import GOOD, SPECS


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """What systemd has heard since it was asked last."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    listener.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

    def heard():
        said = []
        while True:
            try:
                said.append(listener.recv(4096).decode())
            except BlockingIOError:
                return said

    yield heard
    listener.close()


@pytest.fixture
async def state(tmp_path, pool, address, now):
    (tmp_path / "settings.toml").write_text(GOOD)
    found = settings.load(
        tmp_path / "settings.toml", SPECS, {"SHOP_KEY": "k"}, sandbox=False, now=now
    )
    metrics, pulse = Metrics(), Pulse()
    watched = Watched(metrics, pulse, lambda: now, pool=pool)
    state = State(found, metrics, pulse, watched)
    state.worker = Worker(address, {}, metrics)
    yield state
    await state.worker.leave(pool)


@pytest.fixture
def rounds(state):
    return Rounds(state, {name: Bell() for name in wake.LOOPS})


async def test_a_round_in_which_the_database_answered_feeds_the_watchdog(rounds, systemd, now):
    await rounds.keep(now)
    await rounds.keep(now)

    assert systemd() == ["WATCHDOG=1", "WATCHDOG=1"]


async def test_a_loop_that_does_not_turn_starves_it(rounds, state, systemd, now):
    state.pulse.beat("poll", sleeps=-2 * STUCK_AFTER)
    await rounds.keep(now)
    assert systemd() == []

    state.pulse.beat("poll")
    await rounds.keep(now)
    assert systemd() == ["WATCHDOG=1"]


async def test_a_database_that_does_not_answer_starves_it(rounds, state, pool, systemd, now):
    await rounds.keep(now)
    assert systemd() == ["WATCHDOG=1"]

    await asyncio.wait_for(pool.close(), 5)
    with pytest.raises(StoreUnavailable):
        await rounds.keep(now)

    assert systemd() == []
