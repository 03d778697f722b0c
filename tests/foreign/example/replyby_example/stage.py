"""The Corner Shop on loopback, for tests: a real server, with faults to order."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from pydantic import SecretStr

from core.connector import PushRequest
from core.sandbox.faults import Faults
from core.sandbox.serve import Loopback
from replyby_example import spec
from replyby_example.connector import SIGNATURE
from replyby_example.options import CornerShopOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.conformance import Fault

AT_ONCE = 100
WORDS = "Do you have this in green, says Ms Sample?"
TOKEN, PUSH_SECRET = "t0ken-of-the-corner-shop", "s3cret-of-the-corner-shop"


class CornerShopStage:
    """One shop; satisfies `core.conformance.Stage`."""

    spec = spec
    secrets = (TOKEN, PUSH_SECRET, WORDS)

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)
        self.entries: list[dict[str, Any]] = []
        self.faults = Faults(lambda: self.now, continues=("after",), error=self._error)
        self.options = _options("http://127.0.0.1")
        routes = [
            web.get("/inbox", self._inbox, name="inbox"),
            web.get("/conversations/{id}", self._conversation, name="conversation"),
            web.post("/conversations/{id}", self._answer, name="answer"),
        ]
        self._server = Loopback(routes, self.faults, lambda: self.now, forms=self._allowed)

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        self.options = _options(self._server.url)
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self._server.__aexit__(*fault)

    def write(self, count: int = 1) -> None:
        """As many customers each write a first line."""
        for _ in range(count):
            number = len(self.entries) + 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=number)
            self._add(f"conversation-{number}", "customer", WORDS, at)

    def order(self, fault: Fault) -> None:
        """Let this go wrong from now on."""
        if fault.kind == "status":
            self.faults.order("status", status=fault.status, retry_after=fault.retry_after)
        elif fault.kind == "slow":
            self.faults.order("slow", delay=1.5)
        elif fault.kind == "missing":
            self.faults.order("missing", field="entries")
        elif fault.kind == "unreadable":
            self.faults.order("missing", field="entries.0.number")
        else:
            self.faults.order(fault.kind)

    def lift(self) -> None:
        """Let all go well again."""
        self.faults.lift()

    def push(
        self, entry: dict[str, Any], *, account: str, secret: str = PUSH_SECRET
    ) -> PushRequest:
        """The signed request in which the Corner Shop tells of *entry*."""
        body = json.dumps({"entry": entry}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return PushRequest("POST", f"/push/example/{account}", {}, {SIGNATURE: signature}, body)

    def _error(self, status: int) -> Any:
        return {"message": " ".join(self.secrets), "status": status}

    async def _allowed(
        self, request: web.Request, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "who are you?"}, status=401)
        return await answer(request)

    async def _inbox(self, request: web.Request) -> web.Response:
        after = int(request.query["after"])
        coming = [one for one in self.entries if one["number"] > after]
        shown = coming[:AT_ONCE]
        last = shown[-1]["number"] if shown else after
        more = len(coming) > AT_ONCE
        return web.json_response({"entries": shown, "last": last, "more": more})

    async def _conversation(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        found = [one for one in self.entries if one["conversation"] == name]
        return web.json_response({"entries": found}, status=200 if found else 404)

    async def _answer(self, request: web.Request) -> web.Response:
        text = (await request.json())["text"]
        entry = self._add(request.match_info["id"], "shop", text, self.now)
        return web.json_response(entry, status=201)

    def _add(self, conversation: str, by: str, text: str, at: datetime) -> dict[str, Any]:
        entry = {
            "number": len(self.entries) + 1,
            "conversation": conversation,
            "by": by,
            "text": text,
            "at": at.isoformat(),
        }
        self.entries.append(entry)
        return entry


def _options(base_url: str) -> CornerShopOptions:
    token, secret = SecretStr(TOKEN), SecretStr(PUSH_SECRET)
    return CornerShopOptions(base_url=base_url, shop="corner", token=token, push_secret=secret)
