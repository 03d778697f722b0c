"""Signed pushes with hostile content: stored, or refused with a closed word; never a crash."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
from pathlib import Path
from random import Random

import aiohttp
import pytest
from pydantic import SecretStr

from core import log
from core.configuration.sections import Push
from core.connector import Transport
from core.metrics import Metrics
from core.transport.http import Http
from core.web import app, push
from tests.acceptance import accounted, damage, mutation
from tests.acceptance.accounted import UNREADABLE
from tests.acceptance.moulds import CANARY
from tests.core import pages, seeds

PUSHES, LONG_PUSHES = 800, 50_000
LARGEST = 2**20
EXAMPLE = Path(__file__).parent.parent / "foreign" / "example"
SECRET = "a-secret-of-the-shop"
ENTRY = {"number": "", "conversation": "", "by": "customer", "at": "2026-11-21T12:00:00Z"}


@pytest.fixture
def shop(monkeypatch):
    """The sample connector of `docs/adding-a-connector.md`, which receives."""
    monkeypatch.syspath_prepend(EXAMPLE)
    import replyby_example  # noqa: PLC0415  # it is no part of this distribution

    options = replyby_example.CornerShopOptions(
        base_url="http://127.0.0.1", shop="s", token=SecretStr("t"), push_secret=SecretStr(SECRET)
    )
    return replyby_example.spec.open(options, Transport(Http(None)))


@pytest.fixture
async def post(shop, pool, now):
    await pages.monitored(pool, now - 30 * 24 * pages.HOUR)
    intake = push.Intake(
        pool=lambda: pool,
        rules=seeds.rules,
        metrics=Metrics(),
        now=lambda: now,
        sure=lambda: True,
        woken=lambda account: (),
        receiver=lambda connector, name: shop,
        options=lambda connector: {},
    )
    async with (
        app.served("push", Push(listen="127.0.0.1:0"), push.application(intake, LARGEST)) as served,
        aiohttp.ClientSession() as session,
    ):

        async def post(body, *, signed=True):
            digest = hmac.new(SECRET.encode() if signed else b"", body, hashlib.sha256).hexdigest()
            url = f"{served}/push/example/mk"
            head = {"x-corner-signature": digest}
            async with session.post(url, data=io.BytesIO(body), headers=head) as answer:
                return answer.status, await answer.text()

        yield post


def hostile(random: Random, n: int) -> bytes:
    entry = ENTRY | {"number": f"N{n}", "conversation": f"T{n // 9}", "text": f"{CANARY} {n}"}
    made, _ = mutation.spoil(random, {"entry": entry}, [f"N{n // 2}", "T0", "5"])
    body = mutation.written(made[0] if made else None)
    return random.choice(damage.HARMFUL)(random, body) if random.random() < 0.1 else body


@pytest.mark.timeout(3600)
async def test_a_hostile_push_is_stored_or_refused_and_told_nowhere(post, pool, long_form, tell):
    wanted = LONG_PUSHES if long_form else PUSHES
    asyncio.get_running_loop().set_debug(False)
    told, random, ends = io.StringIO(), Random(20261122), {}
    log.set_up("json", "debug", stream=told)
    for n in range(wanted):
        body = hostile(random, n)
        status, text = await post(body)
        is_large = status == 413 and len(body) > LARGEST
        assert is_large or (status, text) in {(204, ""), (400, "bad_payload\n")}, body[:2000]
        ends[status] = ends.get(status, 0) + 1
        if status == 204:
            await is_kept(pool, body)
    assert (await post(body, signed=False))[0] == 401
    assert CANARY not in told.getvalue().lower()
    for status, n in ends.items():
        tell(f"pushes answered with {status}", n)


async def is_kept(pool, body: bytes) -> None:
    content = accounted.decoded(body)
    assert content is not UNREADABLE
    number = accounted.text_of(content["entry"]["number"])
    if number is None:
        return  # a number with a point, of which the sample takes what pydantic makes
    async with pool.acquire() as db:
        stored = await db.fetchval("select count(*) from message where id = $1", number)
        aside = await db.fetchval("select count(*) from set_aside where source_id = $1", number)
    assert stored + aside == 1, json.dumps(content)[:2000]
