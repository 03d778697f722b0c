"""Notices as signed HTTP requests, in the form of Standard Webhooks.

The receiver checks ``webhook-signature``: the Base64 of the HMAC-SHA256, keyed by the shared
secret, over ``<webhook-id>.<webhook-timestamp>.<body>``. The id is the same at every attempt.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, SecretStr

from core.errors import (
    BadCredentials,
    ConnectorError,
    NotifierError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unfit,
    Unreachable,
)
from core.notifier import NotifierOptions, payload, stable_id
from core.transport import webhooks
from core.transport.http import Limits
from core.transport.proxy import is_web_address

if TYPE_CHECKING:
    from core.model import Notice
    from core.notifier import Means, Words

LIMITS = Limits(connect=5.0, total=25.0, body=65_536)
"""Patient: who does not wait for an answer tells again. A process that is stopped for a dozen
seconds finds the answer when it goes on."""
SHORTEST_SECRET = 16


def _address(url: SecretStr) -> SecretStr:
    if not is_web_address(url.get_secret_value()):
        raise Unfit("is no address; write it like https://example.com/hook")
    return url


def _secret(secret: SecretStr) -> SecretStr:
    if len(_key(secret)) < SHORTEST_SECRET:
        raise Unfit(f"is too short; use at least {SHORTEST_SECRET} random bytes")
    return secret


def _key(secret: SecretStr) -> bytes:
    """The key: what follows ``whsec_`` is Base64, anything else is taken as it stands."""
    try:
        return webhooks.key(secret.get_secret_value())
    except ValueError:
        raise Unfit("is no Base64 after whsec_; copy the secret again") from None


class WebhookOptions(NotifierOptions):
    """*url* is a secret, since many receivers put a token into it; *secret* signs."""

    kind: Literal["webhook"] = "webhook"
    url: Annotated[SecretStr, AfterValidator(_address)]
    secret: Annotated[SecretStr, AfterValidator(_secret)] | None = None


class Webhook:
    """Posts one request a notice; follows no redirect."""

    def __init__(self, name: str, options: WebhookOptions, means: Means) -> None:
        self.name = name
        self.zone = options.zone
        self.digest_after = options.digest_after
        self._http = replace(means.http, limits=LIMITS)
        self._url = options.url.get_secret_value()
        self._key = _key(options.secret) if options.secret else None

    async def send(self, notice: Notice, words: Words) -> None:
        """Post the notice; any 2xx is a delivery.

        Raises:
            NotifierError: permanent for a 3xx or 4xx, except 408 and 429; `retry_after` as asked.
        """
        body = json.dumps(payload(notice, words)).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": stable_id(notice),
            **webhooks.signed(self._key, stable_id(notice), int(words.at.timestamp()), body),
        }
        try:
            await self._http.send(self._url, operation="webhook", headers=headers, body=body)
        except ConnectorError as fault:
            raise _failed(fault) from None


def _failed(fault: ConnectorError) -> NotifierError:
    said = f"the receiver answered {fault.detail}" if fault.detail.isdigit() else "no answer"
    redirected = fault.detail.startswith("3") and fault.detail.isdigit()
    permanent = isinstance(fault, Refused | BadCredentials) or redirected
    asked = (
        fault.retry_after if isinstance(fault, RateLimited | Unreachable | OutcomeUnknown) else None
    )
    return NotifierError(said, permanent=permanent, retry_after=asked)
