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
warn = ["50%"]

[notifiers.file]
kind = "file"
path = "var/notices.jsonl"

[routes.all]
notifiers = ["file"]
fallback = true
"""


def settings(accounts: str, promise: str, *, level: str = "info") -> str:
    """Settings with *accounts*, which answer within *promise* and tell by a file."""
    return SETTINGS.format(promise=promise, level=level) + accounts
