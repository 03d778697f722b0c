from __future__ import annotations

import asyncio
import io
import json
import logging
import threading

import asyncpg
import pytest
import structlog
from aiohttp import ClientSession, web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from core import log, spans
from core.configuration.telemetry import Otel
from core.log import Redaction
from core.running import tracing
from core.transport.http import Http

CANARY = "c4n4ry-7d1e-value"
SECRET = "s3cr3t-55aa-value"


class Collector:
    """Takes traces as a collector does, on loopback."""

    def __init__(self):
        self.bodies = []
        self.headers = []
        self.asked = []

    async def take(self, request):
        self.bodies.append(await request.read())
        self.headers.append(dict(request.headers))
        return web.Response(body=b"", content_type="application/x-protobuf")

    async def marketplace(self, request):
        self.asked.append(dict(request.headers))
        return web.json_response({"text": CANARY})

    @property
    def spans(self):
        found = []
        for body in self.bodies:
            told = ExportTraceServiceRequest.FromString(body)
            for resource in told.resource_spans:
                for scope in resource.scope_spans:
                    found += scope.spans
        return found


@pytest.fixture
async def collector():
    found = Collector()
    app = web.Application()
    app.add_routes(
        [web.post("/v1/traces", found.take), web.get("/inbox/{token}", found.marketplace)]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


def options(collector, **more):
    return Otel(endpoint=collector.url, headers=f"authorization=Bearer {SECRET}", **more)


async def test_a_walk_is_one_trace_with_its_requests_and_statements(collector, pool):
    async with tracing.told(options(collector), Redaction()), ClientSession() as session:
        await pool.fetchval("SELECT 1")  # a loop that looks whether something is due
        with spans.of("poll", account="conrad-de", stream="messages") as span:
            await Http(session).get(f"{collector.url}/inbox/{SECRET}", operation="M11")
            await pool.fetchval("SELECT $1::text", CANARY)
            span.put(outcome="success")

    told = {span.name: span for span in collector.spans}
    assert set(told) == {"poll", "M11", "SELECT"}
    root = told["poll"]
    assert {root.span_id} == {told["M11"].parent_span_id, told["SELECT"].parent_span_id}
    assert {one.key: one.value.string_value for one in root.attributes} == {
        "replyby.account": "conrad-de",
        "replyby.stream": "messages",
        "replyby.outcome": "success",
    }
    assert [value for key, value in collector.headers[0].items() if key.lower() == "authorization"]


async def test_no_secret_no_text_and_no_address_stands_in_a_trace(collector, pool):
    async with tracing.told(options(collector), Redaction([SECRET])), ClientSession() as session:
        with spans.of("poll", account=SECRET):
            await Http(session).get(f"{collector.url}/inbox/{SECRET}?q={CANARY}", operation="M11")
            with pytest.raises(asyncpg.DataError):
                await pool.fetchval("SELECT $1::text::int", CANARY)

    raw = b"".join(collector.bodies)
    assert collector.spans
    assert SECRET.encode() not in raw
    assert CANARY.encode() not in raw
    errors = [one for span in collector.spans for one in span.events]
    assert {one.key for event in errors for one in event.attributes} == {"exception.type"}


async def test_the_marketplace_is_asked_without_a_header_of_ours(collector, pool):
    async with tracing.told(options(collector), Redaction()), ClientSession() as session:
        with spans.of("poll"):
            await Http(session).get(f"{collector.url}/inbox/x", operation="M11")

    names = {name.lower() for name in collector.asked[0]}
    assert not names & {"traceparent", "tracestate", "baggage"}


async def test_none_of_the_share_means_none_is_told(collector, pool):
    async with tracing.told(options(collector, sample=0), Redaction()):
        with spans.of("poll"):
            await pool.fetchval("SELECT 1")

    assert collector.spans == []


async def test_a_collector_that_hangs_holds_up_neither_work_nor_end(pool):
    hanging = asyncio.Event()

    async def never(reader, writer):
        await hanging.wait()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with tracing.told(Otel(endpoint=f"http://127.0.0.1:{port}"), Redaction()):
            with spans.of("poll"):
                assert await pool.fetchval("SELECT 1") == 1
    finally:
        hanging.set()
        server.close()
        await server.wait_closed()
        for thread in threading.enumerate():
            if thread.name == "traces end":
                await asyncio.to_thread(thread.join, 20)


async def test_without_a_tracer_nothing_is_told_and_statements_are_as_before(pool):
    before = asyncpg.connection.Connection.fetchval

    with spans.of("poll") as span:
        span.put(outcome="success")
        assert await pool.fetchval("SELECT 1") == 1

    assert asyncpg.connection.Connection.fetchval is before
    assert not hasattr(before, "__wrapped__")


async def test_a_collector_that_is_away_is_said_once(pool, monkeypatch):
    out = io.StringIO()
    root, old = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    redaction = log.set_up("json", stream=out)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    try:
        async with tracing.told(Otel(endpoint="http://127.0.0.1:9"), redaction):
            for _ in range(6):
                with spans.of("poll"):
                    await asyncio.sleep(0.4)
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:], root.level = handlers, level
        structlog.configure(**old)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] in ([], ["traces do not arrive"])
