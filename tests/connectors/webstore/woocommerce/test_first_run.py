"""What the first run pushes: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from datetime import UTC, datetime

from connectors.webstore import spec
from connectors.webstore.woocommerce.entry import kind
from connectors.webstore.woocommerce.options import WooCommerceOptions

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_what_happens_is_pushed_to_the_address_of_the_settings(session, door):
    address, came = door
    push = {"endpoint": f"{address}/toys", "secret": "s"}
    account = WooCommerceOptions(kind="woocommerce", **kind.filling, push=push)
    async with spec.sandbox.open({"toys": account}, lambda: NOW) as opened:
        shop = opened["toys"]
        url, _, name = shop["base_url"].rpartition("/")
        how = {"shop": name, "remark": "Hello?"}
        async with session.post(f"{url}/_sandbox/acts/add_order", json=how) as answer:
            assert answer.status == 201
        headers, body = await asyncio.wait_for(came.get(), 10)

    digest = hmac.new(shop["push"]["secret"].encode(), body, hashlib.sha256).digest()
    assert headers["x-wc-webhook-signature"] == base64.b64encode(digest).decode()
