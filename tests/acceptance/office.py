"""A shop at Amazon with its board: the stand-in beside it, who is told, and who works there."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.amazon.sandbox import notices
from connectors.amazon.sandbox.server import Sandbox
from core.loops import utcnow
from tests.acceptance import auction_house, premises

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from connectors.amazon.sandbox.cases import Case
    from connectors.amazon.sandbox.seller import Seller
    from core.sandbox.mail import Taken
    from tests.acceptance.beside import Beside
    from tests.acceptance.receiver import Receiver
    from tests.acceptance.shop import Shop

ACCOUNT = "amazon-de"
GERMANY = "A1PA6795UKMFR9"
PROMISE, WARNED = "30m", "1795s"
"""Warned five seconds after the buyer wrote, and then there is time for the slowest machine."""
LINK = re.compile(r"http://\S+/enter/\S+")

SETTINGS = """
[web]
listen = "127.0.0.1:{web}"

[accounts.amazon-de]
connector = "amazon"
title = "Amazon (DE)"
policies = []
goals = ["ours"]
routes = ["desk"]

[accounts.amazon-de.options]
user = "{user}"
password = "env:MAIL_PASSWORD"
imap = {{ host = "127.0.0.1", port = {imap}, tls = "none" }}
smtp = {{ host = "127.0.0.1", port = {smtp}, tls = "none" }}
sender = "{sender}"
marketplaces = ["{marketplace}"]
authserv_ids = ["{server}"]
poll_every = "2s"

[notifiers.hook]
kind = "webhook"
url = "env:HOOK_URL"
allow_private = true
digest_after = 0

[notifiers.pager]
kind = "pagerduty"
url = "env:PAGER_URL"
routing_key = "env:PAGER_KEY"
allow_private = true
digest_after = 0

[ladders.up]
rungs = [
    {{ after = "1s", tell = ["notifier:hook"] }},
    {{ after = "1h", tell = ["notifier:file"] }},
]

[routes.desk]
notifiers = ["hook", "pager"]
ladder = "up"
"""


@dataclass(slots=True)
class Pager:
    """PagerDuty's end of its Events API v2: *events* is what it took, in the order of arrival."""

    events: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def acts(self) -> Counter[str]:
        """How often each act was told, over all incidents."""
        return Counter(event["event_action"] for event in list(self.events))

    def heard(self) -> Counter[tuple[str, str, str]]:
        """How often what was told: of which incident, which act, and at which step."""
        return Counter(
            (each["dedup_key"], each["event_action"], each.get("payload", {}).get("class", ""))
            for each in list(self.events)
        )

    async def take(self, request: web.Request) -> web.Response:
        self.events.append(json.loads(await request.read()))
        return web.json_response({"status": "success"}, status=202)


@asynccontextmanager
async def paged() -> AsyncIterator[Pager]:
    """A pager that listens on loopback."""
    pager, app = Pager(), web.Application()
    app.router.add_post("/v2/enqueue", pager.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    pager.url = f"http://{host}:{port}/v2/enqueue"
    try:
        yield pager
    finally:
        await runner.cleanup()


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Sandbox, Seller]]:
    """Amazon with one seller and his mailbox; copies of answers come when the test says so."""
    async with Sandbox(utcnow, seed=8) as sandbox:
        seller = await sandbox.add_seller(GERMANY)
        seller.habits.copies = False
        yield sandbox, seller


@dataclass
class Office:
    """All of it; *board* is the address at which people look."""

    beside: Beside
    sandbox: Sandbox
    seller: Seller
    receiver: Receiver
    pager: Pager
    shop: Shop
    board: str

    def rows(self, query: str, *args: object) -> list[Any]:
        return auction_house.rows(self.beside, self.shop, query, *args)

    def asks(self, name: str, words: str) -> Case:
        """A buyer writes for the first time; the letter arrives now."""

        async def write() -> Case:
            buyer = self.seller.add_buyer(name)
            case = self.seller.open_case(buyer, self.seller.add_order(buyer, utcnow()), "sender")
            self.seller.buyer_writes(case, words)
            await self.sandbox.post.deliver()
            return case

        return self.beside.run(write())

    def sends_copy(self, case: Case) -> None:
        """Amazon sends the seller the copy of what the buyer got last."""

        async def write() -> None:
            words, now = case.entries[-1].text, utcnow()
            copy = notices.copy(self.seller.author, case, words, now, in_one_line=False)
            self.seller.posts(copy, now)
            await self.sandbox.post.deliver()

        self.beside.run(write())

    def sent(self) -> list[Taken]:
        """The letters that left for buyers."""
        return list(self.sandbox.mail.taken)

    def link(self) -> str:
        """The link by which somebody signs in first, as it is printed last."""
        return LINK.findall(self.shop.log())[-1]


def settings(sandbox: Sandbox, seller: Seller, port: int) -> str:
    """The settings of a shop with that mailbox, whose board is at *port*."""
    account = SETTINGS.format(
        web=port, user=seller.mailbox.user, sender=seller.sender, marketplace=GERMANY,
        server=seller.mailbox.server, imap=sandbox.mail.imap_port, smtp=sandbox.mail.smtp_port,
    )  # fmt: skip
    return premises.settings(account, PROMISE, warn=WARNED)


def environ(
    sandbox: Sandbox, seller: Seller, receiver: Receiver, pager: Pager
) -> Mapping[str, str]:
    """What the settings refer to."""
    return {
        "MAIL_PASSWORD": sandbox.options(seller)["password"],
        "HOOK_URL": receiver.url,
        "PAGER_URL": pager.url,
        "PAGER_KEY": "0123456789abcdef" * 2,
    }
