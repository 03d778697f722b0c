"""What the first run opens: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web

from connectors.webstore import spec
from connectors.webstore.bigcommerce.entry import kind
from connectors.webstore.bigcommerce.options import BigCommerceOptions
from core.connector import Transport
from core.stage import walk
from core.transport import webhooks
from core.transport.http import Http
from core.transport.smtp import Smtp

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def placed(**more):
    return BigCommerceOptions(kind="bigcommerce", **{**kind.filling, **more})


async def test_placeholders_become_stores_that_are_read_and_answered(session, draft):
    accounts = {name: placed() for name in ("toys", "books")}
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        for name in accounts:
            given = BigCommerceOptions(kind="bigcommerce", **opened[name])
            account = spec.open(given, Transport(Http(session), smtp=Smtp()))
            await account.check()
            found = await walk(account, "messages", None, NOW)
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
            given = BigCommerceOptions(kind="bigcommerce", **opened["a"])
            account = spec.open(given, Transport(Http(session), smtp=Smtp()))
            found = await walk(account, "messages", None, at)
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
        account = placed(push={"endpoint": endpoint, "client_secret": "s"})
        async with spec.sandbox.open({"toys": account}, lambda: clock["now"]) as opened:
            store = opened["toys"]
            url = f"{store['base_url']}/_sandbox/acts/add_order"
            async with session.post(url, json={"store": store["store_hash"]}) as answer:
                order = (await answer.json())["order"]
            url = f"{store['base_url']}/_sandbox/acts/customer_writes"
            how = {"store": store["store_hash"], "order": order, "text": "Hello?"}
            async with session.post(url, json=how) as answer:
                assert answer.status == 201
            for _ in range(100):
                if came:
                    break
                await asyncio.sleep(0.05)
            secret = store["push"]["client_secret"]
    finally:
        await runner.cleanup()
    headers, body = came[0]
    assert webhooks.holds(secret.encode(), {k.lower(): v for k, v in headers.items()}, body)
