"""A shop's mailbox, chat, WhatsApp, phone and marketplace beside a daemon, and settings of all."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.mirakl.sandbox.server import Sandbox as Mirakl
from connectors.webstore.chatwoot.sandbox import opening
from connectors.webstore.chatwoot.sandbox.server import Sandbox as Chatwoot
from connectors.webstore.mailbox.sandbox.server import Sandbox as Mailbox
from connectors.webstore.meta.sandbox.server import Sandbox as Meta
from connectors.webstore.twilio.sandbox.server import Sandbox as Twilio
from core.loops import utcnow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from connectors.mirakl.sandbox.market import Shop as MarketShop
    from connectors.webstore.chatwoot.sandbox.desk import Inbox
    from connectors.webstore.mailbox.sandbox.shop import Shop as MailShop
    from connectors.webstore.meta.sandbox.graph import Line
    from connectors.webstore.twilio.sandbox.desk import Account, Number

OURS = "+48221230001"
SECRET = frozenset({
    "password", "api_token", "secret", "access_token", "app_secret", "verify_token", "auth_token",
    "api_key",
})  # fmt: skip
"""Options that stand in the environment."""

GOALS = """
[policies.ours-2h]
role = "goal"
applies_to = ["message"]
reply_within = "2h"

[push]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
"""
ACCOUNT = """
[accounts.{name}]
connector = "{connector}"
title = "{title}"
shop = "main"
seller = "{seller}"
routes = ["all"]
{more}

[accounts.{name}.options]
{options}
"""


@dataclass
class Storefront:
    """The stand-ins, and what of them is the shop's; *strange* is another seller's mailbox."""

    mailbox: Mailbox
    mail: MailShop
    strange: MailShop
    chatwoot: Chatwoot
    inbox: Inbox
    meta: Meta
    line: Line
    twilio: Twilio
    phone: tuple[Account, Number]
    mirakl: Mirakl
    market: MarketShop
    port: int
    environ: dict[str, str] = field(default_factory=dict)

    def endpoint(self, account: str) -> str:
        """Where *account* is pushed to."""
        return f"http://127.0.0.1:{self.port}/push/webstore/{account}"

    def settings(self) -> str:
        """Settings with all accounts; the secrets that they refer to are in `environ` then.

        What nobody pushes is read every second. What is pushed is read by itself once in ten
        minutes: it is the push that starts its clock. Calls are read every few seconds, for what is
        pushed of one has no date, and of a call back nothing is.
        """
        accounts = "".join(self._accounts())
        return GOALS.format(port=self.port) + accounts

    def _accounts(self) -> Iterator[str]:
        mail = self.mailbox.options(self.mail)
        yield self._store("mail", "mailbox", {**mail, **_LETTERS})
        strange = self.mailbox.options(self.strange)
        yield self._store("strange", "mailbox", {**strange, **_LETTERS}, seller="another")
        hook = next(iter(self.inbox.account.webhooks.values()))
        push = {"endpoint": hook.url, "secret": hook.secret}
        chat = {**self.chatwoot.options(self.inbox), "poll_every": "10m", "push": push}
        yield self._store("chat", "chatwoot", chat)
        line = {**self.meta.options(self.line), "endpoint": self.endpoint("whatsapp")}
        yield self._store("whatsapp", "whatsapp", line)
        number = {**self.twilio.options(*self.phone), "endpoint": self.endpoint("phone")}
        yield self._store("phone", "twilio", {**number, "poll_every": "3s"})
        base_url = self.mirakl.base_url(self.market.operator.name)
        told = {"base_url": base_url, "api_key": self.market.key, "shop_id": self.market.id,
                "operator": "empik", "poll_every": "1s", "incidents": False}  # fmt: skip
        yield self._account("empik", "mirakl", told, 'policies = []\ngoals = ["ours-2h"]')

    def _store(
        self, name: str, kind: str, options: Mapping[str, Any], *, seller: str = "ours"
    ) -> str:
        return self._account(name, "webstore", {"kind": kind, **options}, seller=seller)

    def _account(
        self, name: str, connector: str, options: Mapping[str, Any], more: str = "", *,
        seller: str = "ours",
    ) -> str:  # fmt: skip
        lines = [f"{key} = {self._value(name, key, value)}" for key, value in options.items()]
        return ACCOUNT.format(
            name=name, connector=connector, title=f"Shop: {name}", seller=seller, more=more,
            options="\n".join(lines),
        )  # fmt: skip

    def _value(self, account: str, key: str, value: object) -> str:
        """As TOML; a secret goes where secrets stand."""
        if key in SECRET:
            variable = f"{account}_{key}".upper()
            self.environ[variable] = str(value)
            return json.dumps(f"env:{variable}")
        if isinstance(value, dict):
            told = (f"{each} = {self._value(account, each, of)}" for each, of in value.items())
            return f"{{ {', '.join(told)} }}"
        return json.dumps(value)


_LETTERS = {
    "own_domains": ["shop.example"],
    "order_pattern": r"\b(\d{9}-A)\b",
    "poll_every": "1s",
    "confirmed_after": "0s",
}


@asynccontextmanager
async def opened(port: int) -> AsyncIterator[Storefront]:
    """All of them, to be pushed to at *port*."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        mailbox, chatwoot = await enter(Mailbox(utcnow, seed=1)), await enter(Chatwoot(utcnow))
        meta, twilio = await enter(Meta(utcnow)), await enter(Twilio(utcnow))
        mirakl, account = await enter(Mirakl(utcnow)), twilio.desk.add_account()
        made = Storefront(
            mailbox, await mailbox.add_shop(), await mailbox.add_shop(),
            chatwoot, chatwoot.desk.add_account().add_inbox(),
            meta, meta.graph.add_line("whatsapp"),
            twilio, (account, account.add_number(OURS)),
            mirakl, mirakl.add_operator("empik").add_shop(2000), port,
        )  # fmt: skip
        made.inbox.account.add_webhook(made.endpoint("chat"), list(opening.TOLD))
        meta.subscribe(made.line, made.endpoint("whatsapp"))
        number = made.phone[1]
        number.sms_url = number.status_callback = made.endpoint("phone")
        yield made
