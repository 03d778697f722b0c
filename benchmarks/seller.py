"""Settings of sellers at an operator where nothing happens, for a daemon beside a database."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from core.store import Address

SETTINGS = """
[store]
dsn = "env:BENCH_DSN"

[log]
format = "json"

[policies.ours]
role = "goal"
applies_to = ["message"]
reply_within = "72h"

[notifiers.file]
kind = "file"
path = "notices.jsonl"

[routes.all]
notifiers = ["file"]
fallback = true
"""
ACCOUNT = """
[accounts.{name}]
connector = "mirakl"
title = "{name}"
policies = []
goals = ["ours"]
options = {{ base_url = "{url}/{name}", api_key = "env:BENCH_KEY", operator = "{name}" }}
"""


def settings(url: str, accounts: int) -> str:
    """Settings for so many accounts at the operator at *url*, told to a file."""
    return SETTINGS + "".join(ACCOUNT.format(name=f"shop-{n}", url=url) for n in range(accounts))


def dsn(address: Address) -> str:
    """*address* of a harness's server as one line."""
    word, host = quote(str(address["password"])), quote(str(address["host"]), safe="")
    return f"postgresql://{address['user']}:{word}@/{address['database']}?host={host}"
