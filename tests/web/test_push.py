from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import aiohttp
import pytest
from structlog.testing import capture_logs

from core.configuration.sections import Push
from core.connector import Member, Pushed, Receipt
from core.errors import BadCredentials, BadPayload, StoreUnavailable, Unreachable
from core.measuring.facts import Names, Pushing
from core.metrics import Metrics
from core.model import Stream
from core.store import pushes, stats, transaction
from core.web import app, push, storing
from tests.core import pages, seeds
from tests.core.pages import HOUR

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
    made = Metrics()
    topics = ("NEW_MESSAGE", "MARKETPLACE_ACCOUNT_DELETION")
    made.declare(Names(accounts=(("empik", "mk"),), topics=tuple(("empik", t) for t in topics)))
    return made


@pytest.fixture
async def post(receiver, metrics, pool, now):
    await pages.monitored(pool, now)
    receivers = {("shop", "mk"): receiver, ("shop", "deaf"): object()}
    intake = push.Intake(
        pool=lambda: post.pool,
        rules=seeds.rules,
        metrics=metrics,
        now=lambda: now,
        sure=lambda: True,
        woken=lambda account: post.woken,
        receiver=lambda connector, name: receivers.get((connector, name)),
        options=lambda connector: {"mk": f"options of {connector}"},
    )
    listener = Push(listen="127.0.0.1:0")

    async def post(path="/push/shop/mk", body=b"{}", method="POST", **headers):
        url = served + path
        async with session.request(method, url, data=body, headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers

    post.pool, post.woken = pool, ("threads",)
    async with (
        app.served("push", listener, push.application(intake, MOST)) as served,
        aiohttp.ClientSession() as session,
    ):
        post.served = served
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
    assert request.accounts == {"mk": "options of shop"}


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
    ("fault", "status", "logged"),
    [
        (BadCredentials("signature"), 401, "bad_signature"),
        (BadPayload("no JSON"), 400, "unreadable"),
        (Unreachable("their key server"), 503, "unverified"),
        (StoreUnavailable("gone"), 503, "store_unavailable"),
    ],
)
async def test_a_refused_push_says_why_in_a_closed_word_and_stores_nothing(
    post, receiver, pool, fault, status, logged
):
    receiver.answer = fault

    with capture_logs() as lines:
        got, body, _ = await post()

    assert (got, body.decode().strip()) == (status, fault.reason)
    assert lines[0]["reason"] == logged
    assert await messages(pool) == []


async def test_a_body_over_the_limit_is_refused_and_counted(post, receiver, metrics):
    assert (await post(body=b"x" * (MOST + 1)))[0] == 413
    assert receiver.requests == []
    assert counted(metrics, "too_large") == 1


async def test_who_breaks_off_in_a_body_is_no_fault_of_ours(post, receiver, metrics):
    at = urlsplit(post.served)
    head = b"POST /push/shop/mk HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"

    with capture_logs() as lines:
        _, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(head)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await post())[0] == 200

    assert [line["event"] for line in lines] == []
    assert counted(metrics, "failed") is None
    assert len(receiver.requests) == 1


async def test_only_a_question_and_a_push_are_taken(post, receiver):
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS"):
        status, _, headers = await post(method=method, body=None)
        assert (status, headers["Allow"]) == (405, "GET,POST"), method

    assert receiver.requests == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (BadCredentials("signature"), "bad_signature"),
        (Unreachable("too many unknown keys"), "unverified"),
        (StoreUnavailable("gone"), "store_unavailable"),
        (Receipt(412, outcome="bad_signature"), "bad_signature"),
        (ValueError("a bug"), "ValueError"),
    ],
)
async def test_of_a_flood_of_what_is_refused_one_line_is_logged(post, receiver, answer, reason):
    receiver.answer = answer

    with capture_logs() as lines:
        await asyncio.gather(*(post() for _ in range(30)))

    assert [line.get("reason", line.get("error")) for line in lines] == [reason]
    assert lines[0]["times"] == 1


async def test_each_reason_for_which_pushes_are_refused_is_logged(post, receiver):
    with capture_logs() as lines:
        for receiver.answer in (BadCredentials("no"), BadPayload("no"), BadCredentials("no")):
            await post()

    assert [line["reason"] for line in lines] == ["bad_signature", "unreadable"]


async def test_who_only_looks_at_the_address_is_no_attack(post, receiver, metrics):
    receiver.answer = Receipt(400, outcome="no_challenge")

    with capture_logs() as lines:
        assert (await post(method="GET", body=None))[0] == 400

    assert lines == []
    assert counted(metrics, "no_challenge") == 1


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


async def test_a_receivers_bug_is_a_closed_word_and_quotes_nobody(post, receiver, pool):
    receiver.answer = ValueError("the buyer's own words")

    with capture_logs() as logs:
        status, body, _ = await post()

    assert (status, body) == (500, b"crashed\n")
    assert "words" not in str(logs)
    assert [(line["event"], line["error"]) for line in logs] == [("push crashed", "ValueError")]
    assert await messages(pool) == []


SENT = datetime(2026, 11, 21, 11, 59, tzinfo=UTC)


def pushed(id_="N1", *, topic="NEW_MESSAGE", at=SENT):
    return Pushed(id_, topic, at)


def told(now, id_="M1", minutes=1):
    item = pages.buyer(id_, now - timedelta(minutes=minutes))
    return {"mk": pages.page(item, pages.thread(as_of=now))}


def counted(metrics, outcome, topic="other", marketplace="empik"):
    of = {"marketplace": marketplace, "topic": topic, "outcome": outcome}
    return metrics.registry.get_sample_value("replyby_pushes_total", of)


async def test_a_push_that_comes_again_is_acknowledged_and_stores_nothing(
    post, receiver, pool, now, metrics
):
    receiver.answer = Receipt(204, pages=told(now), pushed=pushed())
    assert (await post())[0] == 204
    receiver.answer = Receipt(204, pages=told(now, "M2"), pushed=pushed())

    assert (await post())[0] == 204

    assert await messages(pool) == ["M1"]
    assert counted(metrics, "stored", "NEW_MESSAGE") == 1
    assert counted(metrics, "duplicate", "NEW_MESSAGE") == 1


async def test_the_same_push_sent_many_times_at_once_is_stored_once(
    post, receiver, pool, now, metrics
):
    receiver.answer = Receipt(204, pages=told(now), pushed=pushed())

    statuses = await asyncio.gather(*(post() for _ in range(20)))

    assert {status for status, _, _ in statuses} == {204}
    assert counted(metrics, "stored", "NEW_MESSAGE") == 1
    assert counted(metrics, "duplicate", "NEW_MESSAGE") == 19


async def test_what_comes_while_a_transaction_runs_shares_the_next(post, receiver, pool, now):
    numbers = iter(range(60))

    class Numbered:
        async def receive(self, request, at):
            n = next(numbers)
            return Receipt(204, pages=told(now, f"M{n:02}"), pushed=pushed(f"N{n}"))

    receiver.receive = Numbered().receive
    before = await committed(pool)

    statuses = await asyncio.gather(*(post() for _ in range(60)))

    assert {status for status, _, _ in statuses} == {204}
    assert len(await messages(pool)) == 60
    assert await committed(pool) - before < 20


async def committed(pool):
    """How many transactions have changed something so far."""
    return int(str(await pool.fetchval("select pg_current_xact_id()")))


async def test_a_push_that_cannot_be_stored_costs_its_neighbours_nothing(post, receiver, pool, now):
    answers = iter([
        Receipt(204, pages=told(now), pushed=pushed("N1")),
        Receipt(204, pages={"mk": "no page"}, pushed=pushed("N2")),
        Receipt(204, pages=told(now, "M3"), pushed=pushed("N3")),
    ])  # fmt: skip

    class Mixed:
        async def receive(self, request, at):
            return next(answers)

    receiver.receive = Mixed().receive

    statuses = await asyncio.gather(post(), post(), post())

    assert sorted(status for status, _, _ in statuses) == [204, 204, 500]
    assert await messages(pool) == ["M1", "M3"]
    assert [row["id"] for row in await pages.rows(pool, "push")] == ["N1", "N3"]


async def test_a_push_that_is_older_than_our_memory_is_refused(post, receiver, pool, now, metrics):
    long_ago = now - storing.KEPT - timedelta(seconds=1)
    receiver.answer = Receipt(204, pages=told(now), pushed=pushed(at=long_ago))

    assert (await post())[0] == 412

    assert await messages(pool) == []
    assert counted(metrics, "stale", "NEW_MESSAGE") == 1


async def test_a_push_that_does_not_say_how_old_it_is_is_refused(post, receiver, pool, now):
    """Once it was forgotten that it came, it would be new again."""
    receiver.answer = Receipt(204, pages=told(now), pushed=pushed(at=None))

    assert (await post())[0] == 412

    assert await messages(pool) == []


@pytest.mark.parametrize("outcome", ["unknown_topic", "unknown_account", "unreadable", "challenge"])
async def test_what_is_not_for_us_is_acknowledged_and_counted_without_a_database(
    post, receiver, metrics, outcome
):
    receiver.answer = Receipt(204, outcome=outcome)
    post.pool = None

    assert (await post())[0] == 204
    assert counted(metrics, outcome) == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (BadCredentials("signature"), "bad_signature"),
        (BadPayload("no JSON"), "unreadable"),
        (Unreachable("their key server"), "unverified"),
        (StoreUnavailable("gone"), "failed"),
        (ValueError("a bug"), "failed"),
    ],
)
async def test_a_refused_push_is_counted_by_what_became_of_it(
    post, receiver, metrics, fault, outcome
):
    receiver.answer = fault

    await post()

    assert counted(metrics, outcome) == 1


async def test_a_push_to_an_address_that_is_none_of_ours_is_counted(post, metrics):
    await post("/push/shop/none")

    assert counted(metrics, "unknown_account", marketplace="other") == 1


async def test_while_the_settings_are_not_taken_over_a_push_is_to_come_again(post, metrics):
    post.pool = None

    assert (await post("/push/shop/none"))[0] == 503

    assert counted(metrics, "not_ready", marketplace="other") == 1
    assert not counted(metrics, "unknown_account", marketplace="other")


async def test_a_topic_outside_the_closed_list_gets_no_series_of_its_own(
    post, receiver, now, metrics
):
    receiver.answer = Receipt(204, pushed=pushed(topic="INVENTED"), outcome="unknown_topic")

    await post()

    assert counted(metrics, "unknown_topic") == 1
    assert counted(metrics, "unknown_topic", "INVENTED") is None


async def test_a_wake_pulls_only_the_streams_that_are_pushed(post, receiver, pool, now):
    await pages.monitored(
        pool,
        now,
        pages.setup("mk", Stream("messages", HOUR, pushed=True), Stream("returns", HOUR)),
    )
    await put_off(pool)
    post.woken = ("messages",)
    receiver.answer = Receipt(204, wake=frozenset({"mk"}))

    await post()

    due = "select stream from stream where next_due <= now() + interval '1 minute'"
    assert [row["stream"] for row in await pool.fetch(due)] == ["messages"]


async def test_where_no_stream_is_pushed_none_is_pulled_forward(post, receiver, pool):
    await put_off(pool)
    post.woken = ()
    receiver.answer = Receipt(204, wake=frozenset({"mk"}))

    assert (await post())[0] == 204

    due = "select stream from stream where next_due <= now() + interval '1 minute'"
    assert await pool.fetch(due) == []


async def put_off(pool):
    await pool.execute(
        "update stream set next_due = now() + interval '1 hour',"
        " not_before = now() - interval '1 hour'"
    )


async def test_a_wake_does_not_pull_a_stream_below_its_floor(post, receiver, pool):
    await put_off(pool)
    await pool.execute("update stream set not_before = now() + interval '30 minutes'")
    receiver.answer = Receipt(204, wake=frozenset({"mk"}))

    await post()

    soon = "select next_due > now() + interval '29 minutes' from stream"
    assert await pool.fetchval(soon)


async def test_an_erasure_is_written_down_with_the_push_that_asks_for_it(
    post, receiver, pool, now, metrics
):
    topic = "MARKETPLACE_ACCOUNT_DELETION"
    member = Member(frozenset({"quillon-7", "uid-7", "eias-7=="}))
    long_ago = now - storing.KEPT - timedelta(days=1)
    receiver.answer = Receipt(
        204, erase=(member,), pushed=pushed(topic=topic, at=long_ago), outcome="erasure"
    )

    assert [(await post())[0] for _ in range(2)] == [204, 204]

    assert counted(metrics, "erasure", topic) == 1
    assert counted(metrics, "duplicate", topic) == 1
    assert len(await pages.rows(pool, "erasure")) == 1


async def test_a_push_shows_when_the_last_about_an_account_was_stored(post, receiver, pool, now):
    receiver.answer = Receipt(204, pages=told(now), pushed=pushed())
    await post()

    async with transaction(pool) as db:
        shown = (await stats.snapshot(db, now)).pushing

    assert shown == {"mk": Pushing(now.timestamp(), silent=False)}


async def test_what_was_pushed_is_forgotten_in_time(pool, now):
    async with transaction(pool) as db:
        await pushes.note(db, [("mk", "old", "T")], now - storing.KEPT - timedelta(seconds=1))
        await pushes.note(db, [("mk", "new", "T")], now)

        assert await pushes.purge(db, now - storing.KEPT) == 1
        assert await pushes.note(db, [("mk", "old", "T"), ("mk", "new", "T")], now) == {
            ("mk", "old")
        }
