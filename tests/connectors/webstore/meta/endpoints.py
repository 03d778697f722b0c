"""An address on loopback that Meta's stand-in really reaches, and pushes as they come."""

from __future__ import annotations

import hmac
import json
from contextlib import asynccontextmanager

from aiohttp import web

from core.pushes import PushRequest

PATH = "/push/webstore/shop"


class Endpoint:
    """An address for pushes; *receiver* answers there, *receipts* are what it made of them."""

    def __init__(self, clock):
        self.receiver, self.url, self.accounts, self.receipts = None, "", {}, []
        self.clock, self.closed = clock, False

    async def answer(self, request):
        if self.closed:
            return web.Response(status=503)
        told = PushRequest(
            request.method,
            request.path,
            dict(request.query),
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
            self.accounts,
        )
        receipt = await self.receiver.receive(told, self.clock())
        self.receipts.append(receipt)
        return web.Response(status=receipt.status, headers=receipt.headers, body=receipt.body)

    def pages(self, account="shop"):
        """The pages that were to be stored for *account*: each push once, as core does it."""
        seen, found = set(), []
        for receipt in self.receipts:
            if receipt.pushed is None or receipt.pushed.id in seen or account not in receipt.pages:
                continue
            seen.add(receipt.pushed.id)
            found.append(receipt.pages[account])
        return found

    def messages(self, account="shop"):
        return {m.id: m for page in self.pages(account) for m in page.messages}

    def threads(self, account="shop"):
        """The newest state of each, as core keeps it."""
        found = {}
        for thread in (t for page in self.pages(account) for t in page.threads):
            if thread.id not in found or found[thread.id].as_of <= thread.as_of:
                found[thread.id] = thread
        return found

    def verdicts(self, account="shop"):
        return {v.id: v for page in self.pages(account) for v in page.verdicts}


@asynccontextmanager
async def served(clock):
    endpoint = Endpoint(clock)
    app = web.Application()
    app.add_routes([web.route(method, PATH, endpoint.answer) for method in ("GET", "POST")])
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    try:
        yield endpoint
    finally:
        await runner.cleanup()


def written(content):
    if isinstance(content, bytes):
        return content
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def signed(secret, body):
    """As Meta's page says it: the digest over the bytes, in hex."""
    digest = hmac.digest(secret.encode(), body, "sha256").hex()
    return {"x-hub-signature-256": f"sha256={digest}"}
