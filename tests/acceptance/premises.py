"""Settings that every shop with a database of its own has."""

from __future__ import annotations

SETTINGS = """
[store]
dsn = "embedded"
state_dir = "var"

[ops]
listen = "127.0.0.1:0"

[log]
format = "json"
level = "{level}"

[policies.ours]
role = "goal"
applies_to = ["message"]
reply_within = "{promise}"
warn = ["{warn}"]

[notifiers.file]
kind = "file"
path = "var/notices.jsonl"

[routes.all]
notifiers = ["file"]
fallback = true
"""
WALKED = """
    select count(*) from stream s join account a on a.name = s.account
    where s.seen_through is not null and date_trunc('second', now()) > a.monitored_since
"""
"""How many mailboxes were read, and can be written to.

They date by whole seconds: what came in the one of the begin may have come before it.
"""


def settings(accounts: str, promise: str, *, level: str = "info", warn: str = "50%") -> str:
    """Settings with *accounts*, which answer within *promise* and tell by a file."""
    return SETTINGS.format(promise=promise, level=level, warn=warn) + accounts
