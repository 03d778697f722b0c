"""From eBay's stand-in to the committed clock: pushes as they really come, over HTTP."""

from __future__ import annotations

from random import Random

import aiohttp
import pytest
from structlog.testing import capture_logs

from connectors.ebay import spec
from connectors.ebay.push import topics
from connectors.ebay.sandbox import opening
from connectors.ebay.sandbox.signing import Keys
from core.configuration.sections import Push
from core.connector import Transport
from core.measuring.facts import Names
from core.metrics import Metrics
from core.store import transaction
from core.transport.http import Http
from core.web import app, push
from tests.connectors.ebay.conftest import NOON
from tests.connectors.ebay.push.conftest import TOKEN
from tests.connectors.standing import QUICK
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE


class Intake:
    """A daemon's door for one account, which may be slow or closed."""

    def __init__(self):
        self.metrics = Metrics()
        names = tuple(("empik", topic) for topic in (*topics.TOPICS, "other"))
        self.metrics.declare(Names(accounts=(("empik", "shop"),), topics=names))
        self.options, self.connector, self.pool, self.url = None, None, None, ""

    def counted(self, outcome, topic="NEW_MESSAGE"):
        of = {"marketplace": "empik", "topic": topic, "outcome": outcome}
        return self.metrics.registry.get_sample_value("replyby_pushes_total", of)


@pytest.fixture
async def intake(sandbox, seller, optioned, http, pool, clock):
    """Subscribed to, as if long ago."""
    intake = Intake()
    given = push.Intake(
        pool=lambda: intake.pool,
        rules=lambda: seeds.rules(accounts=("shop",)),
        metrics=intake.metrics,
        now=clock,
        sure=lambda: True,
        woken=lambda account: ("messages",),
        receiver=lambda connector, name: intake.connector,
        options=lambda connector: {"shop": intake.options},
    )
    listening = Push(listen="127.0.0.1:0")
    async with app.served("push", listening, push.application(given, 2**20)) as url:
        address = f"{url}/push/ebay/shop"
        intake.options = optioned(push={"endpoint": address, "verification_token": TOKEN})
        intake.connector = spec.open(intake.options, Transport(http))
        intake.pool, intake.url = pool, address
        await pages.monitored(pool, NOON - HOUR, pages.setup("shop", *spec.streams(intake.options)))
        opening.subscribe(sandbox, seller, intake.options.push)
        yield intake


@pytest.fixture
def deliver(sandbox, clock):
    """Let time pass, and eBay push what is due."""

    async def deliver(**after):
        clock.advance(**(after or {"seconds": 2}))
        await sandbox.pushes.deliver()
        return [tried.status for tried in sandbox.pushes.tried]

    return deliver


async def stored(pool):
    return [row["body"] for row in await pages.rows(pool, "message")]


async def test_a_message_is_stored_with_its_clock_before_it_is_acknowledged(
    intake, seller, sandbox, deliver, pool
):
    seller.asked(sandbox.market.add_member(), "Where is my parcel?")

    assert await deliver() == [204]

    assert await stored(pool) == ["Where is my parcel?"]
    assert len(await pages.clock_rows(pool)) == 1
    assert intake.counted("stored") == 1


async def test_the_poll_that_confirms_a_push_finds_the_same_message(
    intake, seller, sandbox, deliver, pool, clock
):
    seller.asked(sandbox.market.add_member(), "Where <b>is</b> it?")
    await deliver()
    page = await intake.connector.fetch("messages", None, None, clock())

    told = await pages.stored(
        pool, clock(), *page.messages, *page.threads, account="shop",
        of=seeds.rules(accounts=("shop",)),
    )  # fmt: skip

    assert (told.received, told.changed, told.repeated) == (0, 0, 1)
    assert len(await pages.clock_rows(pool)) == 1


async def test_trap_38_what_was_not_acknowledged_comes_again_and_is_stored_once(
    intake, seller, sandbox, deliver, pool
):
    intake.pool = None
    seller.asked(sandbox.market.add_member(), "Hello?")
    assert await deliver() == [503]
    assert await stored(pool) == []

    intake.pool = pool
    assert await deliver(minutes=4) == [503, 204]
    assert await stored(pool) == ["Hello?"]
    assert (intake.counted("failed", "other"), intake.counted("stored")) == (1, 1)


async def test_the_same_notification_again_is_acknowledged_and_dropped(
    intake, seller, sandbox, deliver, pool, monkeypatch
):
    """As after an acknowledgement that came too late (observed: minutes later, the same id)."""
    sent = []
    seller.asked(sandbox.market.add_member(), "Hello?")
    put = type(sandbox.pushes)._status

    async def twice(self, one):
        sent.append(await put(self, one))
        return await put(self, one)

    monkeypatch.setattr(type(sandbox.pushes), "_status", twice)
    assert await deliver() == [204]

    assert sent == [204]
    assert await stored(pool) == ["Hello?"]
    assert (intake.counted("stored"), intake.counted("duplicate")) == (1, 1)


async def test_pushes_go_on_when_ebay_signs_with_another_key(
    intake, seller, sandbox, deliver, pool
):
    buyer = sandbox.market.add_member()
    for number, digest in enumerate(("SHA1", "SHA256", "SHA1")):
        sandbox.market.keys.rotate(digest)
        seller.asked(buyer, f"Question {number}")
        await deliver()

    assert len(await stored(pool)) == 3
    assert len(sandbox.calls("getPublicKey")) == 3


async def test_after_a_restart_pushes_wait_for_a_key_and_none_is_lost(
    intake, seller, sandbox, deliver, pool
):
    """Keys are kept in memory: while their host is down a new process can believe nobody."""
    seller.asked(buyer := sandbox.market.add_member(), "Before it")
    assert await deliver() == [204]

    async with aiohttp.ClientSession() as session:
        intake.connector = spec.open(intake.options, Transport(Http(session, limits=QUICK)))
        sandbox.faults.order("status", operation="getPublicKey", status=503)
        seller.asked(buyer, "After it")
        assert await deliver() == [204, 503]
        assert (await stored(pool), intake.counted("unverified", "other")) == (["Before it"], 1)

        sandbox.faults.lift()
        assert (await deliver(minutes=4))[2:] == [204]
        assert sorted(await stored(pool)) == ["After it", "Before it"]


async def test_a_deletion_is_asked_for_and_acknowledged(intake, seller, sandbox, deliver, pool):
    buyer = sandbox.market.add_member("Quillon-7")
    sandbox.pushes.deletion(buyer)

    assert await deliver() == [204]

    assert intake.counted("erasure", topics.DELETION) == 1
    [request] = await pages.rows(pool, "erasure")
    assert request["connector"] == "ebay"


async def test_a_burst_of_deletions_is_acknowledged_at_once(intake, seller, sandbox, deliver, pool):
    for _ in range(200):
        sandbox.pushes.deletion(sandbox.market.add_member())

    assert set(await deliver()) == {204}
    assert intake.counted("erasure", topics.DELETION) == 200


async def test_what_a_stranger_sends_is_refused_and_stored_nowhere(intake, pool):
    async with aiohttp.ClientSession() as session:
        async with session.post(intake.url, data=b"{}") as answer:
            assert answer.status == 401
        headers = {"X-EBAY-SIGNATURE": "e30="}
        async with session.post(intake.url, data=b"{}", headers=headers) as answer:
            assert answer.status == 412

    async with transaction(pool) as db:
        assert await db.fetchval("select count(*) from push") == 0
    assert intake.counted("no_signature", "other") == 1
    assert intake.counted("bad_signature", "other") == 1


async def test_a_flood_of_forged_pushes_is_a_line_for_each_reason_and_no_fault_of_ours(intake):
    """Each names a key of its own: the first are asked for, and then none is any more."""
    forged = [Keys(Random(number)).current.header(b"{}") for number in range(40)]

    with capture_logs() as lines:
        async with aiohttp.ClientSession() as session:
            for header in forged:
                headers = {"X-EBAY-SIGNATURE": header}
                async with session.post(intake.url, data=b"{}", headers=headers) as answer:
                    assert answer.status in {412, 503}

    said = [line["reason"] for line in lines if line["event"].startswith("push ")]
    assert said == ["bad_signature", "unverified"]
    counts = {one: intake.counted(one, "other") for one in ("bad_signature", "unverified")}
    assert sum(counts.values()) == len(forged)
    assert min(counts.values()) > 0
    assert intake.counted("failed", "other") == 0


async def test_a_push_wakes_the_stream_of_messages_alone(intake, seller, sandbox, deliver, pool):
    await pool.execute(
        "update stream set next_due = now() + interval '1 hour', not_before = now() - $1::interval",
        MINUTE,
    )
    seller.asked(sandbox.market.add_member(), "Hello?")
    await deliver()

    due = "select stream from stream where next_due <= now() + interval '1 minute'"
    assert [row["stream"] for row in await pool.fetch(due)] == ["messages"]
