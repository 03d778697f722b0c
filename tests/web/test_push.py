from __future__ import annotations

from datetime import timedelta

import aiohttp
import pytest
from structlog.testing import capture_logs

from core.configuration.sections import Push
from core.connector import Receipt
from core.errors import BadCredentials, BadPayload, StoreUnavailable, Unreachable
from core.metrics import Metrics
from core.store import transaction
from core.web import app, push
from tests.core import pages, seeds

MOST = 4_096


class Receiver:
    """A connector that receives; *answer* is what it makes of a request, or raises."""

    def __init__(self):
        self.requests = []
        self.answer = Receipt(200)

    async def receive(self, request, now):
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
async def post(receiver, metrics, pool, now):
    await pages.monitored(pool, now)
    receivers = {("shop", "mk"): receiver, ("shop", "deaf"): object()}
    intake = push.Intake(
        pool=lambda: post.pool,
        rules=seeds.rules,
        receiver=lambda connector, name: receivers.get((connector, name)),
        metrics=metrics,
        now=lambda: now,
        sure=lambda: True,
    )
    listener = Push(listen="127.0.0.1:0")

    async def post(path="/push/shop/mk", body=b"{}", method="POST", **headers):
        url = served + path
        async with session.request(method, url, data=body, headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers

    post.pool = pool
    async with (
        app.served("push", listener, push.application(intake, MOST)) as served,
        aiohttp.ClientSession() as session,
    ):
        yield post


async def messages(pool):
    return [row["id"] for row in await pages.rows(pool, "message")]


async def test_a_push_is_stored_before_it_is_answered(post, receiver, pool, now, metrics):
    page = pages.page(pages.buyer("M1", now - timedelta(minutes=1)), pages.thread(as_of=now))
    receiver.answer = Receipt(202, {"X-Seen": "yes"}, b"thanks", {"mk": page})

    status, body, headers = await post()

    assert (status, body, headers["X-Seen"]) == (202, b"thanks", "yes")
    assert await messages(pool) == ["M1"]
    of = {"marketplace": "empik", "account": "mk", "direction": "in"}
    assert metrics.registry.get_sample_value("replyby_messages_stored_total", of) == 1


async def test_the_receiver_gets_the_request_as_it_came(post, receiver):
    await post("/push/shop/mk?a=1&b=2", b"\x00raw\xff", **{"X-Signature": "abc"})

    (request,) = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/push/shop/mk", b"\x00raw\xff")
    assert request.query == {"a": "1", "b": "2"}
    assert request.headers["x-signature"] == "abc"


async def test_a_challenge_by_get_is_received_too(post, receiver):
    receiver.answer = Receipt(200, {}, b"challenge")

    assert (await post(method="GET", body=None))[:2] == (200, b"challenge")


@pytest.mark.parametrize(
    "path", ["/", "/push/shop/none", "/push/none/mk", "/push/shop/deaf", "/push/shop"]
)
async def test_nothing_is_received_elsewhere(post, receiver, path):
    assert (await post(path))[0] == 404
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (BadCredentials("signature"), 401),
        (BadPayload("no JSON"), 400),
        (Unreachable("their key server"), 503),
        (StoreUnavailable("gone"), 503),
    ],
)
async def test_a_refused_push_says_why_in_a_closed_word_and_stores_nothing(
    post, receiver, pool, fault, status
):
    receiver.answer = fault

    with capture_logs() as lines:
        got, body, _ = await post()

    assert (got, body.decode().strip()) == (status, fault.reason)
    assert lines[0]["reason"] == fault.reason
    assert await messages(pool) == []


async def test_a_body_over_the_limit_is_refused(post, receiver):
    assert (await post(body=b"x" * (MOST + 1)))[0] == 413
    assert receiver.requests == []


async def test_a_push_about_a_foreign_account_stores_nothing_at_all(post, receiver, pool, now):
    page = pages.page(pages.buyer("M1", now), pages.thread(as_of=now))
    receiver.answer = Receipt(200, pages={"mk": page, "other": page})

    assert (await post())[0] == 400
    assert await messages(pool) == []


async def test_without_a_database_the_marketplace_is_asked_to_send_again(post, receiver, now):
    page = pages.page(pages.buyer("M1", now), pages.thread(as_of=now))
    receiver.answer = Receipt(200, pages={"mk": page})
    post.pool = None

    assert (await post())[0] == 503


async def test_a_wake_pulls_the_next_reading_forward(post, receiver, pool):
    async with transaction(pool) as db:
        await db.execute(
            "update stream set next_due = now() + interval '1 hour',"
            " not_before = now() - interval '1 hour'"
        )
    receiver.answer = Receipt(200, wake=frozenset({"mk"}))

    assert (await post())[0] == 200

    assert await pool.fetchval("select next_due <= now() + interval '1 minute' from stream")


async def test_an_erasure_that_cannot_be_done_is_not_promised(post, receiver):
    receiver.answer = Receipt(200, erase=(("mk", "buyer-1"),))

    assert (await post())[0] == 501


async def test_a_receivers_bug_is_a_closed_word_and_quotes_nobody(post, receiver, pool):
    receiver.answer = ValueError("the buyer's own words")

    with capture_logs() as logs:
        status, body, _ = await post()

    assert (status, body) == (500, b"crashed\n")
    assert "words" not in str(logs)
    assert [(line["event"], line["error"]) for line in logs] == [("push crashed", "ValueError")]
    assert await messages(pool) == []


async def test_a_push_that_is_too_large_is_still_told_so(post, receiver):
    assert (await post(body=b"x" * (MOST + 1)))[0] == 413
