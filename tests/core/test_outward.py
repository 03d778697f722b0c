"""The outward heartbeat: a service outside hears that all turns, and nothing when it does not."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from core import loops, settings
from core.errors import SettingsError
from core.loops import Bell, Pulse
from core.metrics import Metrics
from core.running import outward
from core.running.rounds import Rounds
from core.running.state import State
from core.running.worker import Worker
from core.store import wake
from core.transport.http import open_session
from core.web.ops import Watched
from tests.core import seeds
from tests.core.seeds import MINUTE
from tests.core.test_settings import GOOD, SPECS

TOKEN = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"
BEAT = '[heartbeat]\nurl = "env:BEAT"\n'


class Service:
    """What listens for heartbeats: *heard* are the paths that were asked for."""

    def __init__(self):
        self.heard, self.status, self.url = [], 200, ""

    async def take(self, request):
        self.heard.append((request.method, request.path))
        return web.Response(status=self.status)


@pytest.fixture
async def service():
    found = Service()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", found.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    found.url = f"http://{host}:{port}/ping/{TOKEN}"
    yield found
    await runner.cleanup()


@pytest.fixture
def read(tmp_path, now):
    def read(url, more="", text=BEAT):
        path = tmp_path / "settings.toml"
        path.write_text(GOOD + text + more)
        said = {"SHOP_KEY": "k", "BEAT": url}
        return settings.load(path, SPECS, said, sandbox=False, now=now)

    return read


@asynccontextmanager
async def opened(read_settings, pool, now):
    watched = Watched(Metrics(), Pulse(), lambda: now, pool=pool)
    async with open_session() as session:
        state = State(read_settings, watched.metrics, watched.pulse, watched, session=session)
        state.adopt(read_settings, seeds.rules(), now)
        yield state


@pytest.fixture
async def state(read, service, pool, now):
    async with opened(read(service.url), pool, now) as found:
        yield found


def turn(state, *left_out):
    """Each loop that is needed ends a round, but for those *left_out*."""
    turn.at += 1
    for name in ("poll", "watch", "deliver log"):
        if name not in left_out:
            state.pulse.ended[name] = turn.at


turn.at = 0.0


@pytest.fixture
def look(state, now):
    """A look a minute after the one before, by a clock that nobody sets."""
    place, at = outward.Place(), [1000.0]

    async def look(*left_out, after=60.0, turned=True):
        at[0] += after
        if turned:
            turn(state, *left_out)
        return await outward.once(state, place, now, lambda: at[0])

    return look


def outcomes(state):
    names = outward.SENT, outward.FAILED, outward.WITHHELD
    counter = "replyby_heartbeats_total"
    found = {n: state.metrics.registry.get_sample_value(counter, {"outcome": n}) for n in names}
    return Counter({name: int(value) for name, value in found.items() if value})


async def test_while_all_turns_the_service_is_asked_each_minute(state, service, look, now):
    first = await look(turned=False)
    assert (first - now, service.heard) == (outward.SOON, []), "nobody knows yet whether it turns"

    for _ in range(3):
        assert await look() == now + MINUTE

    assert service.heard == [("GET", f"/ping/{TOKEN}")] * 3
    assert outcomes(state) == {"sent": 3}
    last = state.metrics.registry.get_sample_value(
        "replyby_heartbeat_last_success_timestamp_seconds"
    )
    assert last == now.timestamp()


@pytest.mark.parametrize("loop", ["poll", "watch", "deliver log"])
async def test_while_one_loop_stands_nothing_is_said_and_the_log_says_it_once(
    state, service, look, loop
):
    await look()
    await look()
    with capture_logs() as said:
        for _ in range(3):
            await look(loop)
        await look()
        await look()

    assert len(service.heard) == 3
    assert outcomes(state) == {"sent": 3, "withheld": 3}
    assert [(line["event"], line.get("reason")) for line in said] == [
        ("heartbeat withheld", f"loop {loop} does not turn"), ("heartbeat heard again", None),
    ]  # fmt: skip


async def test_a_start_at_which_nothing_turns_is_withheld_after_a_minute(state, service, look):
    for _ in range(14):
        await look(turned=False, after=5.0)

    assert service.heard == []
    assert outcomes(state)["withheld"] >= 1


async def test_the_host_s_clock_plays_no_part_in_what_turned(state, service, look):
    """It goes back by an hour: a loop that turns says other instants, one that stands the same."""
    await look()
    turn.at += 3600
    await look()
    turn.at -= 3600

    await look("watch")
    await look()

    assert outcomes(state) == {"sent": 2, "withheld": 1}


async def test_while_the_host_s_clock_is_not_believed_nothing_is_said(state, service, look, now):
    """No breach is counted or told meanwhile: a word that all is well would be a lie."""
    await look()
    state.clock.dated("acme", -120.0, monotonic())

    await look()

    assert service.heard == []
    assert outcomes(state) == {"withheld": 1}


async def test_what_the_service_answers_is_no_fault_of_ours_and_is_tried_again(
    state, service, look, caplog
):
    await look()
    service.status = 503
    with capture_logs() as said:
        for _ in range(3):
            await look()
        service.status = 200
        await look()

    assert outcomes(state) == {"failed": 3, "sent": 1}
    assert len(service.heard) == 4, "one try a minute"
    assert [line["event"] for line in said] == ["heartbeat not heard", "heartbeat heard again"]
    assert TOKEN not in str(said)


async def test_a_service_that_is_away_holds_nothing_up_and_the_log_hides_its_address(
    read, pool, now
):
    async with opened(read(f"http://127.0.0.1:1/ping/{TOKEN}"), pool, now) as state:
        place = outward.Place()
        with capture_logs() as said:
            for at in (1000.0, 1060.0, 1120.0):
                turn(state)
                await outward.once(state, place, now, lambda at=at: at)

    assert outcomes(state) == {"failed": 2}
    assert [line["event"] for line in said] == ["heartbeat not heard"]
    assert TOKEN not in str(said)


async def test_it_is_asked_as_seldom_as_the_settings_say_however_often_the_loop_wakes(
    read, service, pool, now
):
    async with opened(read(service.url, 'every = "10m"\n'), pool, now) as state:
        place = outward.Place()
        for minute in range(31):
            turn(state)
            await outward.once(state, place, now, lambda at=1000.0 + 60 * minute: at)

        period = state.metrics.registry.get_sample_value("replyby_heartbeat_period_seconds")

    assert (len(service.heard), period) == (3, 600)


async def test_where_no_service_is_told_of_nothing_is_asked(read, pool, now):
    async with opened(read("x", text=""), pool, now) as state:
        assert await outward.once(state, outward.Place(), now) is None
        value = state.metrics.registry.get_sample_value
        assert value("replyby_heartbeat_configured") == 0
        assert value("replyby_heartbeat_period_seconds") == 0
        assert value("replyby_heartbeats_total", {"outcome": "sent"}) == 0
        assert value("replyby_heartbeat_last_success_timestamp_seconds") == 0


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("", "heartbeat.url: a secret stands in the settings themselves"),
        ('every = "2h"\n', "heartbeat.every: is too often or too seldom; write 1s to 1h"),
    ],
)
def test_what_cannot_be_is_complained_of_without_the_address(read, more, complaint):
    text = BEAT if more else BEAT.replace("env:BEAT", f"https://hc.example/{TOKEN}")

    with pytest.raises(SettingsError) as fault:
        read("https://hc.example/x", more, text)

    assert [line for line in fault.value.complaints if line.startswith(complaint)]
    assert TOKEN not in str(fault.value)


def test_an_address_that_is_none_is_refused_without_being_quoted(read):
    with pytest.raises(SettingsError, match=r"heartbeat\.url: is no address of a page") as fault:
        read(f"hc-ping.com/{TOKEN}")

    assert TOKEN not in str(fault.value)


async def test_a_watcher_that_hangs_in_the_database_ends_it_and_the_others_turn_on(
    read, service, address, pool, now, monkeypatch
):
    """The real loops: somebody holds the watcher's table, and lets it go again."""
    monkeypatch.setattr(outward, "TURNS", 2.0)
    worker = Worker(address, {}, Metrics())
    await worker.register()
    stop = asyncio.Event()
    async with opened(read(service.url, 'every = "1s"\n'), pool, now) as state:
        state.worker = worker
        rounds = Rounds(state, {name: Bell() for name in wake.LOOPS})
        turning = {
            "poll": loops.every("poll", rounds.poll, stop, gate=rounds.lookout, pulse=state.pulse),
            "watch": loops.every("watch", rounds.watch, stop, tick=0.2, pulse=state.pulse),
            "deliver": loops.every(
                "deliver log", lambda now: rounds.send("log", now), stop, tick=0.2,
                pulse=state.pulse,
            ),
            "outward": loops.every("outward", rounds.outward, stop, tick=0.5, pulse=state.pulse),
        }  # fmt: skip
        tasks = [asyncio.create_task(each, name=name) for name, each in turning.items()]
        await until(lambda: outcomes(state)["sent"] >= 2)
        async with pool.acquire() as db, db.transaction():
            await db.execute("lock table alarm in access exclusive mode")
            await until(lambda: "loop watch does not turn" in rounds._outward.said)
            heard, held = len(service.heard), outcomes(state)["withheld"]
            polled = state.pulse.ended["poll"]
            await until(lambda: state.pulse.ended["poll"] > polled)
            await until(lambda: outcomes(state)["withheld"] > held)
            assert len(service.heard) == heard
        await until(lambda: len(service.heard) >= heard + 2)
        stop.set()
        await asyncio.gather(*tasks)
    await worker.leave(pool)


async def until(holds):
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110  # what is waited for is a service's count
            await asyncio.sleep(0.05)
