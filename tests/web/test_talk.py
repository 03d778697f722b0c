from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from core.configuration.access import Web
from core.configuration.sections import Push
from core.connector import Receipt
from core.loops import Pulse
from core.measuring.facts import Names
from core.metrics import Metrics
from core.web import app, ops, push
from tests.core import seeds
from tests.web import board

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MOST = 4_096
SECRET = b"jane_doe_1990"
LENGTH = str(len(SECRET)).encode()
POST = b"POST /push/shop/mk HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def encoded(name):
    return POST + b"Content-Encoding: %b\r\nContent-Length: %b\r\n\r\n%b" % (name, LENGTH, SECRET)


UNREADABLE = {
    "gzip that is none": encoded(b"gzip"),
    "deflate that is none": encoded(b"deflate"),
    "brotli that is none": encoded(b"br"),
    "zstd that is none": encoded(b"zstd"),
    "no size of a chunk": POST + CHUNKED + b'\r\n{"username": "' + SECRET + b'"}',
    "no size of the next chunk": POST + CHUNKED + b"\r\n2\r\n{}\r\n{" + SECRET + b"}\r\n",
    "a length below nothing": POST + b"Content-Length: -1\r\n\r\n" + SECRET,
    "both lengths": POST + b"Content-Length: 13\r\n" + CHUNKED + b"\r\n" + SECRET,
    "too short a length": POST.replace(b"close", b"keep-alive") + b"Content-Length: 2\r\n\r\n{}"
    + SECRET + b"\r\n\r\n",
    "another version": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SECRET,
    "a header of 20 kB": POST + b"X-A: " + SECRET * 1_600 + b"\r\n\r\n",
    "no address": b"GET http://[" + SECRET + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "no name of a header": POST + b"X \xff: " + SECRET + b"\r\n\r\n",
    "no HTTP": b"\x16\x03\x01" + SECRET + b"\r\n\r\n",
}  # fmt: skip


class Receiver:
    async def receive(self, request, now):
        return Receipt(200)


@pytest.fixture
def metrics():
    made = Metrics()
    made.declare(Names(accounts=(("empik", "mk"),), topics=(("empik", "NEW_MESSAGE"),)))
    return made


@pytest.fixture
async def pushed(metrics):
    intake = push.Intake(
        pool=object,
        rules=seeds.rules,
        metrics=metrics,
        now=lambda: NOW,
        sure=lambda: True,
        woken=lambda account: (),
        receiver=lambda connector, name: Receiver() if name == "mk" else None,
        options=lambda connector: {},
    )
    served = app.served("push", Push(listen="127.0.0.1:0"), push.application(intake, MOST))
    async with served as url:
        yield url


@asynccontextmanager
async def listening(name):
    watched = ops.Watched(Metrics(), Pulse(), lambda: NOW)
    listener = Web(listen="127.0.0.1:0")
    made = {
        "ops": lambda: ops.application(watched),
        "web": lambda: board.application(board.Stage(None)),
    }
    async with app.served(name, listener, made[name]()) as url:
        yield url


async def sent(url, raw):
    """What is answered to *raw* until the other side closes."""
    at = urlsplit(url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(raw)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def amiss(caplog):
    """What the libraries log of the requests; asyncio warns of a slow machine, too."""
    return [
        record
        for record in caplog.records
        if record.name.startswith("aiohttp") or record.levelno >= logging.ERROR
    ]


def refused(metrics, outcome="unreadable"):
    """How many pushes had *outcome*, whichever marketplace they are counted at."""
    return sum(
        sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "replyby_pushes_total" and sample.labels["outcome"] == outcome
    )


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_no_http_is_refused_counted_and_quoted_nowhere(pushed, metrics, caplog, raw):
    with capture_logs() as lines, caplog.at_level(logging.DEBUG):
        answer = await sent(pushed, raw)

    assert b" 400 " in answer
    assert answer.endswith(b"\r\n\r\nunreadable\n")
    assert SECRET not in answer
    assert SECRET.decode() not in str(lines) + caplog.text
    assert [(line["log_level"], line["reason"]) for line in lines] == [("warning", "unreadable")]
    assert amiss(caplog) == []
    assert refused(metrics) == 1


@pytest.mark.parametrize("kind", ["gzip that is none", "no size of a chunk", "no HTTP"])
async def test_of_a_flood_that_is_no_http_one_line_is_logged(pushed, metrics, caplog, kind):
    with capture_logs() as lines:
        for _ in range(20):
            await sent(pushed, UNREADABLE[kind])

    assert len(lines) == 1
    assert amiss(caplog) == []
    assert refused(metrics) == 20


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("name", ["ops", "web"])
async def test_no_listener_quotes_what_is_no_http(name, kind, caplog):
    with capture_logs() as lines, caplog.at_level(logging.DEBUG):
        async with listening(name) as url:
            answer = await sent(url, UNREADABLE[kind])

    assert answer
    assert SECRET not in answer
    assert SECRET.decode() not in str(lines) + caplog.text
    assert [line for line in lines if line["log_level"] == "error"] == []
    assert amiss(caplog) == []


async def test_what_a_client_expects_is_not_quoted(pushed):
    answer = await sent(pushed, POST + b"Expect: %b\r\nContent-Length: 0\r\n\r\n" % SECRET)

    assert answer.startswith(b"HTTP/1.1 417 ")
    assert SECRET not in answer


@pytest.mark.parametrize(
    "raw",
    [
        POST + b"Content-Length: 100\r\n\r\n" + SECRET,
        POST + CHUNKED + b"\r\nff\r\n" + SECRET,
        POST + b"X-Half: " + SECRET,
    ],
    ids=["in a body", "in a chunk", "in a head"],
)
async def test_who_hangs_up_half_way_is_no_error(pushed, metrics, caplog, raw):
    at = urlsplit(pushed)
    with capture_logs() as lines, caplog.at_level(logging.DEBUG):
        _, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(raw)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        assert b" 200 " in await sent(pushed, POST + b"Content-Length: 2\r\n\r\n{}")

    assert lines == []
    assert amiss(caplog) == []
    assert refused(metrics) == 0


async def test_a_bug_of_ours_is_said_by_its_places_and_quotes_nobody(caplog):
    async def broken(request):
        raise ValueError(await request.text())

    making = web.Application()
    making.add_routes([web.post("/", broken)])
    with capture_logs() as lines:
        async with (
            app.served("web", Web(listen="127.0.0.1:0"), making) as url,
            aiohttp.ClientSession() as session,
        ):
            for _ in range(3):
                async with session.post(url, data=SECRET) as answer:
                    assert (answer.status, await answer.text()) == (500, "crashed\n")

    assert [(line["event"], line["error"]) for line in lines] == [("request crashed", "ValueError")]
    assert "broken" in lines[0]["trace"][-1]
    assert SECRET.decode() not in str(lines) + caplog.text
