from __future__ import annotations

import asyncio
import resource
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from core.configuration.sections import Push
from core.connector import Receipt
from core.measuring.facts import Names
from core.metrics import Metrics
from core.web import app, push, room
from core.web.room import Limits, Phase
from tests.core import seeds

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MOST_BYTES = 4_096
QUICK = Limits(most=50, head=0.2, body=0.2, unread=0.2, look=0.05)
PATIENT = Limits(most=3, head=600, body=600, unread=600, look=600)
HEAD = b"POST /push/shop/mk HTTP/1.1\r\nHost: x\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\n{}"
CROWD = 300
ROOT = Path(__file__).parents[2]
SERVING = """
import asyncio
from datetime import UTC, datetime
from aiohttp import web
from core.configuration.sections import Push, Ops
from core.loops import Pulse
from core.metrics import Metrics
from core.web import app, ops, room
async def main():
    watched = ops.Watched(Metrics(), Pulse(), lambda: datetime.now(UTC))
    async with (
        app.served("ops", Ops(listen="127.0.0.1:0"), ops.application(watched)) as told,
        app.served("push", Push(listen="127.0.0.1:0"), web.Application(), {limits}) as pushed,
    ):
        print(told, pushed, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


class Receiver:
    """Takes a push when *may* is set."""

    def __init__(self):
        self.begun, self.may = asyncio.Event(), asyncio.Event()
        self.may.set()

    async def receive(self, request, now):
        self.begun.set()
        await self.may.wait()
        return Receipt(200, body=b"taken\n")


@pytest.fixture
def metrics():
    made = Metrics()
    made.declare(Names(accounts=(("empik", "mk"),), topics=(("empik", "NEW_MESSAGE"),)))
    return made


@pytest.fixture
async def receiver():
    return Receiver()


@pytest.fixture
def pushed(metrics, receiver):
    @asynccontextmanager
    async def pushed(limits):
        intake = push.Intake(
            pool=object,
            rules=seeds.rules,
            metrics=metrics,
            now=lambda: NOW,
            sure=lambda: True,
            woken=lambda account: (),
            receiver=lambda connector, name: receiver if name == "mk" else None,
            options=lambda connector: {},
        )
        taking = push.application(intake, MOST_BYTES)
        async with app.served("push", Push(listen="127.0.0.1:0"), taking, limits) as url:
            yield url

    return pushed


@asynccontextmanager
async def connected(url, raw=b""):
    at = urlsplit(url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        writer.write(raw)
        yield reader, writer
    finally:
        writer.close()


async def rest(reader):
    """What comes until the other side closes, however it does so."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def answer(reader):
    """One answer of a receiver."""
    return await reader.readuntil(b"taken\n")


def counted(metrics, outcome):
    return sum(
        sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "replyby_pushes_total" and sample.labels["outcome"] == outcome
    )


def said(lines):
    return [(line["event"], line["reason"], line["times"]) for line in lines]


async def test_half_a_head_is_waited_for_no_longer_than_its_limit(pushed, metrics):
    with capture_logs() as lines:
        async with pushed(QUICK) as url:
            for _ in range(3):
                async with connected(url, HEAD) as (reader, _):
                    assert await rest(reader) == b""

    assert counted(metrics, "too_slow") == 3
    assert said(lines) == [("request refused", "too_slow", 1)]


async def test_who_says_nothing_at_all_is_closed_without_a_word(pushed, metrics):
    with capture_logs() as lines:
        async with pushed(QUICK) as url, connected(url) as (reader, _):
            assert await rest(reader) == b""

    assert counted(metrics, "too_slow") == 0
    assert lines == []


@pytest.mark.parametrize("more", [b"x", b""], ids=["byte by byte", "no more"])
async def test_a_body_that_does_not_come_in_time_is_answered_so_and_closed(pushed, metrics, more):
    with capture_logs() as lines:
        async with (
            pushed(QUICK) as url,
            connected(url, HEAD + b"Content-Length: 4000\r\n\r\n") as (reader, writer),
        ):
            end = asyncio.create_task(rest(reader))
            while not end.done():
                writer.write(more)
                await asyncio.sleep(0.02)
            said_to_it = await end

    assert said_to_it.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nConnection: close\r\n" in said_to_it
    assert said_to_it.endswith(b"\r\n\r\ntoo slow\n")
    assert counted(metrics, "too_slow") == 1
    assert said(lines) == [("push refused", "too_slow", 1)]


async def test_what_its_head_says_is_too_large_is_refused_before_it_comes(pushed, metrics):
    raw = HEAD + b"Content-Length: 20971520\r\n\r\n" + b"x" * 1_000
    async with pushed(PATIENT) as url, connected(url, raw) as (reader, _):
        assert b" 413 " in await reader.readuntil(b"too large\n")

    assert counted(metrics, "too_large") == 1


async def test_who_rests_between_two_pushes_is_not_late(pushed):
    async with pushed(QUICK) as url, connected(url, WHOLE) as (reader, writer):
        assert b" 200 " in await answer(reader)
        for _ in range(3):
            async with connected(url) as (late, _):
                await rest(late)
        writer.write(WHOLE)
        assert b" 200 " in await answer(reader)


async def test_in_a_crowd_who_kept_us_waiting_longest_goes(pushed, metrics):
    with capture_logs() as lines:
        async with (
            pushed(PATIENT) as url,
            connected(url, WHOLE) as (oldest, again),
            connected(url, HEAD + b"Content-Length: 9\r\n\r\n") as (unfinished, _),
            connected(url, WHOLE) as (third, finishing),
        ):
            assert b" 200 " in await answer(third)
            assert b" 200 " in await answer(oldest)
            again.write(WHOLE)
            assert b" 200 " in await answer(oldest)
            async with connected(url, WHOLE) as (reader, _):
                assert b" 200 " in await answer(reader)
                assert await rest(unfinished) == b""
                for resting, writer in ((third, finishing), (oldest, again)):
                    writer.write(WHOLE)
                    assert b" 200 " in await answer(resting)

    assert counted(metrics, "crowded") == 1
    assert said(lines) == [("request refused", "crowded", 1)]


async def test_who_is_being_answered_is_never_cut(pushed, metrics, receiver):
    receiver.may.clear()
    only = Limits(most=1, head=600, body=600, unread=600, look=0.01)
    async with pushed(only) as url, connected(url, WHOLE) as (first, _):
        await receiver.begun.wait()
        async with connected(url, WHOLE) as (second, _):
            await asyncio.sleep(0.1)
            receiver.may.set()
            assert b" 200 " in await answer(first)
            assert b" 200 " in await answer(second)

    assert counted(metrics, "crowded") == 1


@asynccontextmanager
async def serving(files, limits):
    """A process of *files* open files that serves health and pushes: their addresses, and it."""
    run = f'ulimit -n {files} && exec "$0" -c "$1"'
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", run, sys.executable, SERVING.format(limits=limits),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        told, taking = (await process.stdout.readline()).decode().split()
        yield told, taking, process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def health(told):
    async with connected(told, b"GET /livez HTTP/1.0\r\n\r\n") as (reader, _):
        return await rest(reader)


async def test_health_is_answered_while_more_knock_than_there_are_files(pushed):
    at_least = CROWD + 200
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft > at_least, "this test opens so many files itself"
    async with serving(200, None) as (told, taking, process):
        at = urlsplit(taking)
        halves = [await asyncio.open_connection(at.hostname, at.port) for _ in range(CROWD)]
        for _, writer in halves:
            writer.write(HEAD)
        assert b" 200 " in await health(told)
        for reader, _ in halves[: CROWD - 200 // room.PARTS["push"]]:
            await rest(reader)
        assert b" 200 " in await health(told)
        for _, writer in halves:
            writer.close()
        process.terminate()
        logged, _ = await process.communicate()

    assert logged.count(b"crowded") == 1
    assert b"not_taken" not in logged
    assert b"Traceback" not in logged


async def test_who_has_no_file_left_says_so_once_and_goes_on(pushed):
    async with serving(60, "room.Limits(most=10_000)") as (_, taking, process):
        at = urlsplit(taking)
        halves = [await asyncio.open_connection(at.hostname, at.port) for _ in range(100)]
        logged = await process.stdout.readline()
        for _, writer in halves:
            writer.close()
        async with connected(taking, b"GET / HTTP/1.0\r\n\r\n") as (reader, _):
            assert b" 404 " in await rest(reader)
        process.terminate()
        more, _ = await process.communicate()

    assert b"not_taken" in logged
    assert more == b""


@pytest.mark.parametrize(
    ("phase", "seconds", "late"),
    [
        (Phase.NEW, 9.9, False),
        (Phase.NEW, 10, True),
        (Phase.HEAD, 10, True),
        (Phase.BODY, 29.9, False),
        (Phase.BODY, 30, True),
        (Phase.LEAVING, 30, True),
        (Phase.OPENING, 10_000, False),
        (Phase.ANSWER, 10_000, False),
        (Phase.REST, 10_000, False),
        (Phase.GONE, 10_000, False),
    ],
)
def test_a_peer_is_late_where_something_of_its_own_is_waited_for(phase, seconds, late):
    assert Limits(most=1).is_late(phase, seconds) is late


def test_all_listeners_together_leave_the_larger_half_of_the_files():
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    together = sum(room.limits(name).most for name in ("ops", "web", "push"))
    assert 3 <= together < max(4, soft / 2)
