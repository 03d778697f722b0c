"""Pushes of one account: an address on loopback that eBay's stand-in really reaches."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from connectors.ebay.push import topics
from connectors.ebay.push.pushes import Pushes
from core.pushes import PushRequest
from tests.connectors.ebay.conftest import NOON

TOKEN = "a-verification-token-of-thirty-two-signs"
STAMP = "2026-11-20T11:59:59.000Z"


class Endpoint:
    """An address for pushes; *pushes* answers there, *receipts* are what it made of them."""

    def __init__(self):
        self.pushes, self.url, self.accounts, self.receipts = None, "", {}, []

    async def answer(self, request):
        told = PushRequest(
            request.method,
            request.path,
            dict(request.query),
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
            self.accounts,
        )
        receipt = await self.pushes.receive(told, NOON)
        self.receipts.append(receipt)
        return web.Response(status=receipt.status, headers=receipt.headers, body=receipt.body)


@pytest.fixture
async def endpoint():
    endpoint = Endpoint()
    app = web.Application()
    app.add_routes([web.route(m, "/push/ebay/shop", endpoint.answer) for m in ("GET", "POST")])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/push/ebay/shop"
    yield endpoint
    await runner.cleanup()


@pytest.fixture
def options(optioned, endpoint):
    return optioned(push={"endpoint": endpoint.url, "verification_token": TOKEN})


@pytest.fixture
def pushes(access, options, endpoint):
    endpoint.pushes, endpoint.accounts = Pushes(access, options), {"shop": options}
    return endpoint.pushes


def envelope(topic, data, *, id_="N1", published=STAMP):
    return {
        "metadata": {"topic": topic, "schemaVersion": "1.0", "deprecated": False},
        "notification": {
            "notificationId": id_,
            "eventDate": STAMP,
            "publishDate": published,
            "publishAttemptCount": 1,
            "data": data,
        },
    }


def message(sender="buyer-a", recipient="shop-b", **changes):
    """As it was received in production (facts, section 8.3)."""
    return {
        "conversationId": "101",
        "conversationType": "FROM_MEMBERS",
        "messageId": "9001",
        "createdDate": "2026-11-20T09:00:00.000Z",
        "messageBody": "Hello",
        "messageMedia": [],
        "readStatus": False,
        "senderUserName": sender,
        "recipientUserName": recipient,
        "subject": "",
    } | changes


@pytest.fixture
def take(pushes, sandbox, endpoint):
    """What becomes of a push: `take(body)`, signed by eBay's key unless told otherwise."""

    async def take(content=None, *, key=None, sign=None, headers=None, method="POST", **query):
        body = written(content)
        key = key or sandbox.market.keys.current
        signed = {"x-ebay-signature": key.header(written(sign) if sign is not None else body)}
        given = signed if headers is None else headers
        request = PushRequest(method, "/push/ebay/shop", query, given, body, endpoint.accounts)
        return await pushes.receive(request, NOON)

    return take


def written(content):
    if isinstance(content, bytes):
        return content
    told = envelope(topics.MESSAGE, message()) if content is None else content
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
