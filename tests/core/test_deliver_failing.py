"""What the log tells of a notifier that fails: that it began, and that it delivers again."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from structlog.testing import capture_logs

from core import deliver
from core.errors import NotifierError
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.notifier import Means
from core.notifiers import registry
from core.outbox import batch
from core.routing import Route
from core.store import notices, transaction
from core.transport.http import Http, open_session
from tests.core import seeds
from tests.core.test_deliver import Remembering

RULES = seeds.rules(Route("chat", ("chat",), fallback=True))
AWAY = NotifierError("the mail server is away: ConnectionRefusedError")
SAID = ("notifier fails", "notifier delivers again")


@pytest.fixture
async def tell(pool, now):
    """Raise so many notices, and let each that waits leave to *notifier*; what the log says."""
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
    kept, keys = {"chat": batch.Unsettled()}, iter(range(100))

    async def tell(notifier, n=1):
        told = [Notice(f"mk/{next(keys)}", NoticeKind.BLIND, "mk", now) for _ in range(n)]
        async with transaction(pool) as db:
            await notices.raise_(db, RULES, told)
        await pool.execute("update dispatch set next_try_at = now() where sent_at is null")
        with capture_logs() as lines:
            await deliver.once(pool, {"chat": notifier}, RULES, {}, Metrics(), now, unsettled=kept)
        return [line for line in lines if line["event"] in SAID]

    return tell


async def test_that_it_fails_is_said_once_and_so_is_that_it_delivers_again(tell):
    chat = Remembering("chat", *[AWAY] * 4)

    began = await tell(chat, 2)
    goes_on = await tell(chat, 0)
    again = await tell(chat, 0)
    well = await tell(chat)

    assert began == [
        {"event": SAID[0], "log_level": "warning", "notifier": "chat", "reason": "notifier",
         "error": str(AWAY)},
    ]  # fmt: skip
    assert goes_on == []
    assert again == [
        {"event": SAID[1], "log_level": "info", "notifier": "chat", "reason": "notifier",
         "failures": 4},
    ]  # fmt: skip
    assert well == []


async def test_the_next_failure_is_said_again(tell):
    chat = Remembering("chat", AWAY)
    await tell(chat)
    await tell(chat)
    chat.faults.append(AWAY)

    assert [line["event"] for line in await tell(chat)] == [SAID[0]]


async def test_a_notice_that_is_refused_for_good_is_no_failing_notifier(tell):
    assert await tell(Remembering("chat", NotifierError("HTTP 400", permanent=True))) == []


async def test_a_webhook_that_nobody_hears_is_told_without_its_address(tell, tmp_path):
    port, got = unused_port(), []

    async def hook(request):
        got.append(await request.json())
        return web.Response()

    async with open_session() as session:
        options = registry.KINDS["webhook"].options.model_validate(
            {
                "kind": "webhook",
                "url": f"http://127.0.0.1:{port}/a-token",
                "allow_private": True,
            }
        )
        means = Means(Http(session), tmp_path)
        chat = registry.open_all({"chat": options}, means)["chat"]
        (began,) = await tell(chat)
        app = web.Application()
        app.router.add_post("/a-token", hook)
        async with TestServer(app, port=port):
            (again,) = await tell(chat, 0)

    assert (began["event"], began["error"]) == (SAID[0], "no answer")
    assert not any(each in str(began) for each in ("127.0.0.1", str(port), "a-token"))
    assert (again["event"], len(got)) == (SAID[1], 1)
