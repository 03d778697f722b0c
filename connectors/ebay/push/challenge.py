"""eBay's question whether an address is ours, and the answer. Pure."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from core.pushes import Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.ebay.options import Push

CODE = "challenge_code"


def answered(query: Mapping[str, str], push: Push) -> Receipt:
    """The answer: what is hashed is the code, the token and the address as registered (trap 40)."""
    code = query.get(CODE)
    if not code:
        return Receipt(400, outcome="no_challenge")
    token = push.verification_token.get_secret_value()
    hashed = sha256(f"{code}{token}{push.endpoint}".encode()).hexdigest()
    body = json.dumps({"challengeResponse": hashed}).encode()
    return Receipt(200, {"Content-Type": "application/json"}, body, outcome="challenge")
