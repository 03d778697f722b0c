"""Standard Webhooks: how a request that is pushed, by us or to us, proves who sent it. Pure.

The signature is the Base64 of the HMAC-SHA256, keyed by the shared secret, over
``<webhook-id>.<webhook-timestamp>.<body>``.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "whsec_"


def key(secret: str) -> bytes:
    """The key: what follows ``whsec_`` is Base64, anything else is taken as it stands.

    Raises:
        ValueError: it is no Base64, or nothing: whatever is signed by nothing anybody can sign.
    """
    found = secret.encode()
    if secret.startswith(PREFIX):
        found = b64decode(secret.removeprefix(PREFIX), validate=True)
    if not found:
        raise ValueError("the secret is empty")
    return found


def signature(key: bytes, id_: str, timestamp: str, body: bytes) -> str:
    """That of version 1, with its mark; total, whatever signs a header holds."""
    content = f"{id_}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    return f"v1,{b64encode(hmac.digest(key, content, 'sha256')).decode()}"


def signed(key: bytes | None, id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a request that we send; without a *key* there is no signature."""
    headers = {"webhook-id": id_, "webhook-timestamp": str(timestamp)}
    if key is not None:
        headers["webhook-signature"] = signature(key, id_, str(timestamp), body)
    return headers


def holds(key: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the signatures that *headers* (in small letters) name is that of *body*.

    There are several while a key is replaced. Of its age it says nothing.
    """
    id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not timestamp:
        return False
    wanted = signature(key, id_, timestamp, body)
    return any(is_same(told, wanted) for told in headers.get("webhook-signature", "").split(" "))


def is_same(told: str, wanted: str) -> bool:
    """Whether two signatures are one, compared in constant time, whatever signs *told* holds."""
    return hmac.compare_digest(told.encode("utf-8", "surrogatepass"), wanted.encode())
