"""Mirakl's stand-in beside the daemon, in the test's own process: it outlives every kill."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from connectors.mirakl.sandbox.server import Sandbox
from core.loops import utcnow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connectors.mirakl.sandbox.market import Shop

SETTINGS = """
[store]
dsn = "{dsn}"
state_dir = "var"

[ops]
listen = "127.0.0.1:0"

[log]
format = "json"
level = "info"

{accounts}

[policies.ours]
role = "goal"
applies_to = ["message"]
reply_within = "{promise}"
warn = ["50%", "75%"]

[notifiers.hook]
kind = "webhook"
url = "env:HOOK_URL"
allow_private = true
digest_after = {digest_after}

[notifiers.file]
kind = "file"
path = "var/notices.jsonl"

[routes.all]
notifiers = ["hook", "file"]
fallback = true
"""
ACCOUNT = """
[accounts.{name}]
connector = "mirakl"
title = "{name}"
policies = []
goals = ["ours"]
routes = ["all"]

[accounts.{name}.options]
base_url = "{base_url}"
api_key = "{key}"
operator = "{name}"
shop_id = {shop}
poll_every = "{every}"
overlap = "{overlap}"
incidents = false
"""


@asynccontextmanager
async def opened(*operators: str) -> AsyncIterator[Sandbox]:
    """A sandbox with these operators, each with a shop of number 2000."""
    async with Sandbox(utcnow) as sandbox:
        for name in operators:
            sandbox.add_operator(name).add_shop(2000)
        yield sandbox


def shop(sandbox: Sandbox, operator: str) -> Shop:
    """The one shop of *operator*."""
    return sandbox.operators[operator].shops[2000]


def settings(
    sandbox: Sandbox,
    *,
    dsn: str = "embedded",
    promise: str = "4s",
    every: str = "1s",
    overlap: str = "10m",
    digest_after: int = 0,
) -> str:
    """Settings with an account for each operator of *sandbox*, told to a webhook and a file.

    Unless *digest_after* is given, the webhook is told one by one whatever comes.
    """
    accounts = "".join(
        ACCOUNT.format(
            name=name, base_url=sandbox.base_url(name), key=f"env:{variable(name)}",
            shop=2000, every=every, overlap=overlap,
        )
        for name in sandbox.operators
    )  # fmt: skip
    return SETTINGS.format(dsn=dsn, accounts=accounts, promise=promise, digest_after=digest_after)


def environ(sandbox: Sandbox, hook: str) -> dict[str, str]:
    """The secrets that the settings refer to; *hook* is where notices are received."""
    keys = {variable(name): shop(sandbox, name).key for name in sandbox.operators}
    return {**keys, "HOOK_URL": hook}


def variable(operator: str) -> str:
    return f"KEY_{operator.upper().replace('-', '_')}"


def messages(sandbox: Sandbox) -> set[str]:
    """The ids of all messages that the marketplace holds."""
    return {
        message.id
        for operator in sandbox.operators.values()
        for thread in operator.threads.values()
        for message in thread.messages
    }
