"""How those that push prove who they are: a digest over the bytes as they came (trap 15). Pure.

One in another spelling (hex where base64 is due) is none: compare by `webhooks.is_same`. Who signs
as Standard Webhooks (BigCommerce) does so as `core.transport.webhooks` says.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

USUAL = {"http": "80", "https": "443"}
"""The port of an address that names none."""

MOST_DIGITS = 12
"""Digits of a second: far beyond any year that a clock shows."""


def in_base64(secret: bytes, body: bytes) -> str:
    """HMAC-SHA256 in base64: Shopify, WooCommerce."""
    return b64encode(hmac.digest(secret, body, "sha256")).decode()


def in_hex(secret: bytes, body: bytes) -> str:
    """HMAC-SHA256 in small hex digits: Meta, Chatwoot."""
    return hmac.digest(secret, body, "sha256").hex()


def over_address(secret: bytes, url: str, fields: Mapping[str, Sequence[str]]) -> str:
    """Twilio's: HMAC-SHA1 in base64 over the public *url* and every field and value, sorted.

    Source: twilio.com/docs/usage/security: a field that stands several times counts with each of
    its different values, sorted.
    """
    said = "".join(name + one for name in sorted(fields) for one in sorted(set(fields[name])))
    return b64encode(hmac.digest(secret, f"{url}{said}".encode(), "sha1")).decode()


def addresses(url: str) -> tuple[str, ...]:
    """*url* as Twilio may sign it: with its port, which may be the usual one, and without.

    What signs there is not consistent about it, so its own validators try both (twilio-python:
    request_validator.py, read 2026-11-23).
    """
    parts = urlsplit(url)
    host, told, port = parts.netloc.rpartition(":")
    if not told or not port.isdigit():
        host, port = parts.netloc, USUAL.get(parts.scheme, "")
    with_port = f"{host}:{port}" if port else host
    both = (parts._replace(netloc=one).geturl() for one in (host, with_port))
    return tuple(dict.fromkeys((url, *both)))


def is_fresh(second: str, now: datetime, within: timedelta) -> bool:
    """Whether *second*, a number since 1970, lies near *now*: no replay of an old request."""
    if not second.isascii() or not second.isdigit() or len(second) > MOST_DIGITS:
        return False
    return abs(now.timestamp() - int(second)) <= within.total_seconds()
