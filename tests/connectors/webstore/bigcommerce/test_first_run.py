"""What the first run pushes: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from connectors.webstore import spec
from connectors.webstore.bigcommerce.entry import kind
from connectors.webstore.bigcommerce.options import BigCommerceOptions
from core.transport import webhooks

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_what_happens_is_pushed_to_the_address_of_the_settings(session, door):
    address, came = door
    push = {"endpoint": f"{address}/toys", "client_secret": "s"}
    account = BigCommerceOptions(kind="bigcommerce", **kind.filling, push=push)
    async with spec.sandbox.open({"toys": account}, lambda: NOW) as opened:
        store = opened["toys"]
        url = f"{store['base_url']}/_sandbox/acts"
        of = {"store": store["store_hash"]}
        async with session.post(f"{url}/add_order", json=of) as answer:
            how = {**of, "order": (await answer.json())["order"], "text": "Hello?"}
        async with session.post(f"{url}/customer_writes", json=how) as answer:
            assert answer.status == 201
        headers, body = await asyncio.wait_for(came.get(), 10)

    assert webhooks.holds(store["push"]["client_secret"].encode(), headers, body)
