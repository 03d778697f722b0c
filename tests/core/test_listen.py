"""Sources that say when they have something new."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core import loops
from core.errors import Unreachable
from core.loops import Bell
from core.metrics import Metrics
from core.reading import listen
from core.reading.walk import Reader
from core.running.crew import Crew
from core.running.signals import Signals
from core.running.state import State
from core.store import wake
from tests.core import pages, seeds
from tests.core.pages import HOUR, setup


class Source:
    """Says that something is new when told to; an error is raised."""

    def __init__(self):
        self.news = asyncio.Queue()
        self.waiting = 0

    async def check(self):
        """Not asked here."""

    async def fetch(self, stream, cursor, position, now):
        """Not asked here."""

    async def wait(self, stop):
        self.waiting += 1
        news, stopped = asyncio.create_task(self.news.get()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({news, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not news.done():
                return False
            if isinstance(news.result(), Exception):
                raise news.result()
            return True
        finally:
            for task in (news, stopped):
                task.cancel()
            self.waiting -= 1


@pytest.fixture
async def rested(pool, now):
    """An account of which nothing is due for long."""
    await pages.monitored(pool, now, setup())
    await pool.execute(
        "update stream set next_due = now() + interval '1 hour', not_before = now(),"
        " seen_through = $1",
        now - HOUR,
    )
    return pool


async def wait_of(pool):
    return await pool.fetchval("select extract(epoch from next_due - now())::int from stream")


async def test_an_account_is_due_when_its_source_has_something_new(rested, now):
    source, rung = Source(), []
    source.news.put_nowait("new")
    again = await listen.once(rested, "mk", source, asyncio.Event(), now, lambda: rung.append(1))

    assert await wait_of(rested) <= 0
    assert rung == [1]
    assert again - now < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("health", "due"),
    [("bad_credentials", True), ("unreachable", True), ("rate_limited", False)],
)
async def test_whoever_was_heard_is_not_left_alone_for_a_login_once_refused(
    rested, now, health, due
):
    await rested.execute(
        "update stream set health = $1, not_before = next_due, backoff_until = next_due", health
    )
    source = Source()
    source.news.put_nowait("new")

    await listen.once(rested, "mk", source, asyncio.Event(), now, lambda: None)

    assert (await wait_of(rested) <= 0) is due


async def test_who_is_stopped_has_heard_nothing(rested, now):
    stop, rung = asyncio.Event(), []
    stop.set()
    await listen.once(rested, "mk", Source(), stop, now, lambda: rung.append(1))

    assert await wait_of(rested) > 3000
    assert rung == []


@pytest.fixture
async def crew(rested):
    source = Source()
    bells = {name: Bell() for name in wake.LOOPS}
    state = State(None, Metrics(), None, None, rules=seeds.rules())
    state.watched = type("Watched", (), {"pool": rested})()
    state.readers = {"mk": Reader(None, source, {}, "mk"), "deaf": Reader(None, object(), {}, "")}
    return Crew(state, Signals(), bells, None, None), source, bells["poll"].ear()


async def test_the_daemon_listens_to_each_that_speaks_and_hears_again(crew, rested):
    daemon, source, ear = crew
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        daemon._listen(group)
        for _ in range(2):
            source.news.put_nowait("new")
            await ear.wait()
            ear.clear()
        assert [task.get_name() for task in daemon._tasks] == ["listen mk"]
        for stop in daemon._listening.values():
            stop.set()
    assert await wait_of(rested) <= 0


async def test_a_source_that_fails_is_listened_to_again_and_ends_nothing(crew, monkeypatch):
    monkeypatch.setattr(loops, "FIRST_WAIT", 0.01)
    daemon, source, ear = crew
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        daemon._listen(group)
        source.news.put_nowait(Unreachable("gone", detail="network"))
        source.news.put_nowait("new")
        await ear.wait()
        for stop in daemon._listening.values():
            stop.set()


async def test_after_a_reload_only_the_new_source_is_listened_to(crew):
    daemon, source, _ = crew
    other = Source()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        daemon._listen(group)
        await asyncio.sleep(0.05)
        daemon._state.readers = {"mk": Reader(None, other, {}, "mk")}
        daemon._listen(group)
        await asyncio.sleep(0.05)
        assert (source.waiting, other.waiting) == (0, 1)
        for stop in daemon._listening.values():
            stop.set()
