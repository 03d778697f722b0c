"""The opaque token of a walk: the whole query inside, signed, so that nothing else counts."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import parse_qsl, urlencode

from connectors.mirakl.sandbox.access import Refusal


def sign(state: dict[str, str], secret: bytes) -> str:
    """*state* as a token that only this operator's *secret* makes."""
    inside = urlsafe_b64encode(urlencode(state).encode()).decode().rstrip("=")
    return f"{inside}.{_signature(inside, secret)}"


def read(token: str, secret: bytes) -> dict[str, str]:
    """What was signed.

    Raises:
        Refusal: 400, not a token of this operator.
    """
    inside, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(inside, secret).encode()):
        raise Refusal(400, "page_token is not valid")
    return dict(parse_qsl(urlsafe_b64decode(inside + "=" * (-len(inside) % 4)).decode()))


def _signature(inside: str, secret: bytes) -> str:
    return hmac.new(secret, inside.encode(), hashlib.sha256).hexdigest()[:32]
