"""What the first run opens: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from aiohttp import web

from connectors.webstore import spec
from connectors.webstore.woocommerce.entry import kind
from connectors.webstore.woocommerce.options import WooCommerceOptions
from core.connector import Transport
from core.stage import walk
from core.transport.http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def placed(**more):
    return WooCommerceOptions(kind="woocommerce", **{**kind.filling, **more})


async def test_placeholders_become_shops_that_are_read_and_answered(session, draft):
    accounts = {name: placed() for name in ("toys", "books")}
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        for name in accounts:
            given = WooCommerceOptions(kind="woocommerce", **opened[name])
            account = spec.open(given, Transport(Http(session)))
            assert list(await account.check()) == []
            found = await walk(account, "orders", None, NOW)
            assert len(found.threads) > 3
            thread = next(iter(found.threads.values()))
            assert (await account.reply(thread, draft("Soon.", thread.id), NOW)).message_id
            url = opened[name]["base_url"]

    with pytest.raises(OSError, match="Cannot connect"):
        await session.get(url)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not names & {"sandbox-scene", "sandbox-push"}


async def test_a_later_first_run_gives_no_number_again(session):
    seen = []
    for second in range(2):
        at = NOW.replace(second=second)
        async with spec.sandbox.open({"a": placed()}, lambda at=at: at) as opened:
            given = WooCommerceOptions(kind="woocommerce", **opened["a"])
            account = spec.open(given, Transport(Http(session)))
            found = await walk(account, "orders", None, at)
            seen.append(set(found.messages) | set(found.threads))

    assert not seen[0] & seen[1]


async def test_what_happens_is_pushed_to_the_address_of_the_settings(session):
    came = []

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
        account = placed(push={"endpoint": endpoint, "secret": "s"})
        async with spec.sandbox.open({"toys": account}, lambda: NOW) as opened:
            address, _, shop = opened["toys"]["base_url"].rpartition("/")
            how = {"shop": shop, "remark": "Hello?"}
            url = f"{address}/_sandbox/acts/add_order"
            async with session.post(url, json=how) as answer:
                assert answer.status == 201
            for _ in range(100):
                if came:
                    break
                await asyncio.sleep(0.05)
            secret = opened["toys"]["push"]["secret"]
    finally:
        await runner.cleanup()
    headers, body = came[0]
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    assert headers["X-WC-Webhook-Signature"] == base64.b64encode(digest).decode()
