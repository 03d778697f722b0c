"""A page or profile at Meta's stand-in, for the promises of every connector."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.webstore import spec
from connectors.webstore.meta.sandbox.server import Sandbox

WORDS = "Where is my parcel, Ms Sample?"
ENDPOINT = "https://push.shop.example/push/webstore/shop"


class PageStage:
    """A page, or a profile, of *kind*."""

    spec = spec

    def __init__(self, kind):
        self.kind, self.now = kind, datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.sandbox = Sandbox(lambda: self.now, seed=2)
        self._written = 0

    async def __aenter__(self):
        await self.sandbox.__aenter__()
        self.line = self.sandbox.graph.add_line(self.kind)
        told = {"kind": self.kind, "endpoint": ENDPOINT, **self.sandbox.options(self.line)}
        self.options = spec.options_of(told).model_validate(told)
        self.secrets = (
            told["access_token"], told["app_secret"], told["verify_token"], WORDS, "Ada Sample",
        )  # fmt: skip
        return self

    async def __aexit__(self, *fault):
        await self.sandbox.__aexit__(*fault)

    def write(self, count=1):
        for _ in range(count):
            self._written += 1
            at = self.now - timedelta(hours=1) + timedelta(seconds=self._written)
            person = self.sandbox.graph.add_person(self.line, "Ada Sample")
            self.sandbox.graph.says(self.line, person, WORDS, at=at)

    def order(self, fault):
        faults = self.sandbox.faults
        error = {"message": " ".join(self.secrets), "type": "OAuthException", "code": 1}
        faults.error = lambda _: {"error": error}
        if fault.kind == "status":
            faults.order("status", status=fault.status, retry_after=fault.retry_after)
        elif fault.kind == "slow":
            faults.order("slow", delay=1.5)
        elif fault.kind == "missing":
            faults.order("missing", operation="conversations", field="data")
        elif fault.kind == "unreadable":
            field = "data.0.messages.data.0.id"
            faults.order("missing", operation="conversations", field=field)
        else:
            faults.order(fault.kind)

    def lift(self):
        self.sandbox.faults.lift()
