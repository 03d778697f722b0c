from __future__ import annotations

import asyncio
import io
import json
import logging
from itertools import pairwise

import pytest
import structlog
from aiohttp import web

from core import errors, log
from core.configuration.telemetry import Sentry
from core.running import faults

CANARY = "c4n4ry-1b9d-value"
SECRET = "s3cr3t-0f0f-value"


class Project:
    """Takes faults as Sentry does, on loopback."""

    def __init__(self):
        self.bodies = []

    async def take(self, request):
        self.bodies.append(await request.read())
        return web.json_response({})

    @property
    def events(self):
        found = []
        for body in self.bodies:
            lines = body.split(b"\n")
            for head, item in pairwise(lines):
                if b'"type":"event"' in head.replace(b" ", b""):
                    found.append(json.loads(item))
        return found


@pytest.fixture
async def project():
    found = Project()
    app = web.Application()
    app.add_routes([web.post("/api/7/envelope/", found.take)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.dsn = f"http://{SECRET}@127.0.0.1:{runner.addresses[0][1]}/7"
    yield found
    await runner.cleanup()


@pytest.fixture
def redaction():
    root = logging.getLogger()
    handlers, level, old = root.handlers[:], root.level, structlog.get_config()
    yield log.set_up("json", stream=io.StringIO(), secrets=[SECRET])
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    structlog.configure(**old)


async def told(project, redaction, act):
    """What the project is told while *act* runs, as the daemon does beside its loop."""

    def run():
        with faults.told(Sentry(dsn=project.dsn, environment="test"), redaction):
            act()

    await asyncio.to_thread(run)
    return project.events


async def test_an_error_of_the_log_is_told_by_its_words_and_places(project, redaction):
    def act():
        with structlog.contextvars.bound_contextvars(account="conrad-de", loop="poll"):
            structlog.get_logger().error("reading crashed", error="KeyError", trace=["a.py:1 f"])
            structlog.get_logger().warning("reading failed")

    (event,) = await told(project, redaction, act)

    assert (event.get("message") or event["logentry"]["message"]) == "reading crashed"
    assert event["extra"]["account"] == "conrad-de"
    assert event["extra"]["trace"] == ["a.py:1 f"]
    assert event["environment"] == "test"


async def test_what_ends_us_is_told_by_its_type_and_its_frames(project, redaction):
    def act():
        letter = CANARY
        raise RuntimeError(f"cannot read {letter} with {SECRET}")

    with pytest.raises(RuntimeError):
        await told(project, redaction, act)

    (event,) = project.events
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("RuntimeError", "")
    assert exception["stacktrace"]["frames"][-1]["function"] == "act"


async def test_no_secret_and_no_text_is_told(project, redaction):
    def act():
        logger = logging.getLogger("asyncio")
        structlog.get_logger().error(f"failed with {SECRET}", text=CANARY, error=SECRET)
        logger.error("Task exception was never retrieved: %s", CANARY)
        logger.error(CANARY, exc_info=ValueError(CANARY))

    assert len(await told(project, redaction, act)) == 3
    raw = b"".join(project.bodies)
    assert CANARY.encode() not in raw
    assert b"vars" not in raw
    assert all(SECRET not in json.dumps(event) for event in project.events)


async def test_faults_of_the_settings_and_of_the_database_are_no_bugs(project, redaction):
    def act():
        raise errors.StoreUnavailable("the database is away")

    with pytest.raises(errors.StoreUnavailable):
        await told(project, redaction, act)

    assert project.events == []


async def test_no_library_is_listened_to(project, redaction):
    before = web.Application._handle

    await told(project, redaction, lambda: None)

    assert web.Application._handle is before
