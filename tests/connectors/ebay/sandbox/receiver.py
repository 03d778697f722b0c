"""A place that eBay pushes to: keeps what came, and checks signatures by its own reading."""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TOKEN = "a-verification-token-of-a-shop-0123456789"
DIGESTS = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}


@dataclass
class Came:
    body: bytes
    header: str

    @property
    def told(self) -> Any:
        return json.loads(self.body)

    @property
    def notification(self):
        return self.told["notification"]

    @property
    def signature(self):
        return json.loads(b64decode(self.header))

    def is_signed_by(self, key):
        """Whether the key, as the public_key call tells it, signed these bytes."""
        begin, end = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
        inside = key["key"].removeprefix(begin).removesuffix(end)
        pem = f"{begin}\n{inside}\n{end}\n".encode()
        public = serialization.load_pem_public_key(pem)
        try:
            public.verify(
                b64decode(self.signature["signature"]), self.body, ec.ECDSA(DIGESTS[key["digest"]])
            )
        except InvalidSignature:
            return False
        return True


@dataclass
class Receiver:
    """Answers *status* after *delay* seconds; *answers_challenge*: rightly, wrongly, or how."""

    status: int = 204
    delay: float = 0.0
    challenge: str = "right"
    came: list[Came] = field(default_factory=list)
    url: str = ""

    async def get(self, request):
        code = request.query["challenge_code"]
        asked = self.url + ("/" if self.challenge == "slash" else "")
        digest = hashlib.sha256(f"{code}{TOKEN}{asked}".encode())
        body = json.dumps({"challengeResponse": digest.hexdigest()}).encode()
        if self.challenge == "bom":
            body = b"\xef\xbb\xbf" + body
        if self.challenge == "gone":
            raise web.HTTPNotFound
        kind = "text/plain" if self.challenge == "text" else "application/json"
        return web.Response(body=body, content_type=kind)

    async def post(self, request):
        self.came.append(Came(await request.read(), request.headers["X-EBAY-SIGNATURE"]))
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status)

    @property
    def ids(self):
        return [one.notification["notificationId"] for one in self.came]


async def opened(receiver):
    """Serve; the runner to clean up."""
    app = web.Application()
    app.add_routes([web.get("/push/ebay/x", receiver.get), web.post("/push/ebay/x", receiver.post)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/push/ebay/x"
    return runner
