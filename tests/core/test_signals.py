from __future__ import annotations

import asyncio
import os
import signal
from contextlib import ExitStack

import pytest

from core.running import signals as signals_module
from core.running.signals import Signals


@pytest.fixture
async def signals():
    with ExitStack() as stack:
        found = Signals()
        found.listen(stack)
        yield found


async def heard(event: asyncio.Event) -> bool:
    return await asyncio.wait_for(event.wait(), 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_asks_to_stop_and_the_second_to_hurry(signals, number):
    os.kill(os.getpid(), number)
    assert await heard(signals.stop)
    assert not signals.hurry.is_set()

    os.kill(os.getpid(), number)
    assert await heard(signals.hurry)


async def test_each_hangup_is_counted(signals):
    os.kill(os.getpid(), signal.SIGHUP)

    assert await heard(signals.reload)
    assert signals.reloads == 1


async def test_work_that_ends_first_is_taken():
    async def work():
        return 7

    assert await Signals().unless_stopped(work()) == 7


async def test_work_is_cancelled_when_asked_to_stop_first():
    signals, ended = Signals(), asyncio.Event()

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    asyncio.get_running_loop().call_later(0.01, signals.end)

    assert await signals.unless_stopped(work()) is None
    assert ended.is_set()


async def test_what_work_raises_is_raised():
    async def work():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Signals().unless_stopped(work())


async def test_a_stop_that_takes_too_long_is_hurried_whatever_it_waits_for(monkeypatch):
    monkeypatch.setattr(signals_module, "LAST", 0.05)
    monkeypatch.setattr(signals_module, "STEP", 0.05)
    signals, cut = Signals(), []

    async def main():
        with ExitStack() as stack:
            signals.listen(stack)
            signals.end()
            for name in ("rounds", "lease", "pool"):
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    cut.append(name)

    await asyncio.wait_for(main(), 5)

    assert cut == ["rounds", "lease", "pool"]
    assert signals.hurry.is_set()
