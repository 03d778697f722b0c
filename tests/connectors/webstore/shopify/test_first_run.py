"""What the first run pushes: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from connectors.webstore import signatures, spec
from connectors.webstore.shopify.entry import kind
from connectors.webstore.shopify.options import ShopifyOptions

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_what_happens_is_pushed_to_the_address_of_the_settings(session, door):
    address, came = door
    push = {"endpoint": f"{address}/toys"}
    account = ShopifyOptions(kind="shopify", **kind.filling, push=push)
    async with spec.sandbox.open({"toys": account}, lambda: NOW) as opened:
        store = opened["toys"]
        url = f"{store['base_url'].rpartition('/')[0]}/_sandbox/acts/buys"
        how = {"store": store["store"], "note": "Hello?"}
        async with session.post(url, json=how) as answer:
            assert answer.status == 201
        headers, body = await asyncio.wait_for(came.get(), 10)

    secret = store["client_secret"].encode()
    assert headers["x-shopify-hmac-sha256"] == signatures.in_base64(secret, body)
