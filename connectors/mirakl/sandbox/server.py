"""`Sandbox`: Mirakl on loopback, with as many operators, shops and bad days as one likes.

async with Sandbox(clock) as sandbox:
    shop = sandbox.add_operator("pccomponentes").add_shop(2000)
    thread = shop.open_thread("Where is my parcel?")
    sandbox.faults.order("status", status=429, retry_after=2, operation="M11", count=3)
    ...  # talk to sandbox.base_url("pccomponentes") with the key shop.key
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from aiohttp import web

from connectors.mirakl.sandbox import (
    access,
    account_api,
    acts,
    backoffice,
    orders_api,
    replies_api,
    threads_api,
)
from connectors.mirakl.sandbox.inbox import Habits
from connectors.mirakl.sandbox.market import Operator
from core.sandbox import control
from core.sandbox.faults import Faults
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.mirakl.sandbox.inbox import Thread
    from connectors.mirakl.sandbox.replies_api import Reply

API = "/{operator}/api"
INBOX = f"{API}/inbox/threads"


def _routes() -> list[web.RouteDef]:
    return [
        web.get(f"{API}/version", account_api.v01, name="V01"),
        web.get(f"{API}/reasons", account_api.re01, name="RE01"),
        web.get(f"{API}/account", account_api.a01, name="A01"),
        web.get(f"{API}/account/statistics", account_api.a21, name="A21"),
        web.get(f"{API}/orders", orders_api.or11, name="OR11"),
        web.put(
            f"{API}/orders/{{order}}/lines/{{line}}/resolve_incident", orders_api.or64, name="OR64"
        ),
        web.get(INBOX, threads_api.m11, name="M11"),
        web.get(f"{INBOX}/{{thread}}", threads_api.m10, name="M10"),
        web.post(f"{INBOX}/{{thread}}/message", replies_api.m12, name="M12"),
        web.get(f"{INBOX}/{{attachment}}/download", threads_api.m13, name="M13"),
        web.get("/{operator}" + backoffice.PATH, backoffice.show, name="page"),
        web.post("/{operator}" + backoffice.PATH, backoffice.act, name="page_act"),
        web.get(f"{control.PREFIX}/", acts.index),
        web.get(f"{control.PREFIX}/threads", acts.threads),
        web.get(f"{control.PREFIX}/replies", acts.replies),
        web.post(f"{control.PREFIX}/acts/{{act}}", acts.act),
    ]


class Sandbox(Served):
    """Serves while it is entered; operators, shops and threads may be added at any time.

    *clock* is the true time; the marketplace's own is `now`, which an ordered skew moves. The same
    *seed* gives the same ids and the same chance.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(clock, seed, error=access.error)
        self.operators: dict[str, Operator] = {}
        self.replies: list[Reply] = []
        self._random = Random(seed)
        server = Loopback(
            _routes(),
            self.faults,
            clock,
            forms=access.forms,
            shared={access.MARKET: self.operators, replies_api.REPLIES: self.replies},
        )
        super().__init__(server)

    def add_operator(self, name: str, habits: Habits | None = None) -> Operator:
        """A new instance of Mirakl, without shops."""
        operator = Operator(name, self.now, self._random, habits or Habits())
        self.operators[name] = operator
        return operator

    def base_url(self, operator: str) -> str:
        """The operator's address, without ``/api``; with ``/api`` appended it is as good."""
        return f"{self.url}/{operator}"

    def page_url(self, thread: Thread) -> str:
        """The marketplace's page of a thread, for people."""
        path = backoffice.PATH.format(thread=thread.id)
        return self.base_url(thread.shop.operator.name) + path
