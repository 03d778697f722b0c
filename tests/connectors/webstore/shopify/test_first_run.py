"""What the first run opens: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web

from connectors.webstore import signatures, spec
from connectors.webstore.shopify.entry import kind
from connectors.webstore.shopify.options import ShopifyOptions
from core.connector import Transport
from core.stage import walk
from core.transport.http import Http
from core.transport.smtp import Smtp

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def placed(**more):
    return ShopifyOptions(kind="shopify", **{**kind.filling, **more})


async def test_placeholders_become_stores_that_are_read_and_answered(session, draft):
    accounts = {name: placed() for name in ("toys", "books")}
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        for name in accounts:
            given = ShopifyOptions(kind="shopify", **opened[name])
            account = spec.open(given, Transport(Http(session), smtp=Smtp()))
            await account.check()
            found = await walk(account, "orders", None, NOW)
            assert len(found.threads) > 3
            thread = next(iter(found.threads.values()))
            assert (await account.reply(thread, draft("Soon.", thread.id), NOW)).message_id
            url = opened[name]["base_url"]

    with pytest.raises(OSError, match="Cannot connect"):
        await session.get(url)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not names & {"sandbox-scene", "sandbox-departures"}


async def test_a_later_first_run_gives_no_number_again(session):
    seen = []
    for second in range(2):
        at = NOW.replace(second=second)
        async with spec.sandbox.open({"a": placed()}, lambda at=at: at) as opened:
            given = ShopifyOptions(kind="shopify", **opened["a"])
            account = spec.open(given, Transport(Http(session), smtp=Smtp()))
            found = await walk(account, "orders", None, at)
            seen.append(set(found.messages) | set(found.threads))

    assert not seen[0] & seen[1]


async def test_what_happens_is_pushed_to_the_address_of_the_settings(session):
    came, clock = [], {"now": NOW}

    async def door(request):
        came.append((dict(request.headers), await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/push/webstore/toys", door)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    endpoint = f"http://{host}:{port}/push/webstore/toys"
    try:
        account = placed(push={"endpoint": endpoint})
        async with spec.sandbox.open({"toys": account}, lambda: clock["now"]) as opened:
            store = opened["toys"]
            url = f"{store['base_url'].rpartition('/')[0]}/_sandbox/acts/buys"
            how = {"store": store["store"], "note": "Hello?"}
            async with session.post(url, json=how) as answer:
                assert answer.status == 201
            for _ in range(100):
                if came:
                    break
                await asyncio.sleep(0.05)
            secret = store["client_secret"]
    finally:
        await runner.cleanup()
    headers, body = came[0]
    assert headers["X-Shopify-Hmac-Sha256"] == signatures.in_base64(secret.encode(), body)
