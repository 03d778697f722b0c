"""How Meta asks whether an address is ours, and how what it pushes proves itself. Pure.

developers.facebook.com: Graph API, Webhooks, Getting Started (read 2026-11-22).
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING

from connectors.webstore import signatures
from core.pushes import Receipt
from core.transport import webhooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.webstore.meta.options import MetaOptions
    from core.pushes import PushRequest

HEADER, SCHEME = "x-hub-signature-256", "sha256="
LONGEST = 200
"""So many signs of a challenge are given back: Meta's has ten."""


def stopped(request: PushRequest, options: MetaOptions) -> Receipt | None:
    """The answer to *request* where there is nothing to read in it; None: Meta has signed it."""
    if request.method == "GET":
        return _handshake(request.query, options.verify_token.get_secret_value())
    told = request.headers.get(HEADER)
    if told is None:
        return Receipt(401, outcome="no_signature")
    secret = options.app_secret.get_secret_value().encode()
    wanted = f"{SCHEME}{signatures.in_hex(secret, request.body)}"
    return None if webhooks.is_same(told, wanted) else Receipt(401, outcome="bad_signature")


def digest(body: bytes) -> str:
    """By what a push is known again: Meta gives it no id, and sends it again as it was."""
    return sha256(body).hexdigest()


def _handshake(query: Mapping[str, str], token: str) -> Receipt:
    told = query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
    challenge = query.get("hub.challenge", "")
    is_ours = hmac.compare_digest(told, token.encode())
    is_asked = query.get("hub.mode") == "subscribe" and 0 < len(challenge) <= LONGEST
    if not (is_ours and is_asked and challenge.isascii()):
        return Receipt(403, outcome="no_challenge")
    return Receipt(
        200, {"Content-Type": "text/plain"}, challenge.encode("ascii"), outcome="challenge"
    )
