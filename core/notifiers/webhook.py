"""Notices as signed HTTP requests, in the form of Standard Webhooks.

The receiver checks ``webhook-signature``: the Base64 of the HMAC-SHA256, keyed by the shared
secret, over ``<webhook-id>.<webhook-timestamp>.<body>``. The id is the same at every attempt.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, SecretStr

from core.errors import Unfit
from core.notifier import payload, stable_id
from core.notifiers import posting
from core.transport import webhooks

if TYPE_CHECKING:
    from core.model import Notice
    from core.notifier import Means, Words

SHORTEST_SECRET = 16


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


class WebhookOptions(posting.PostingOptions):
    """*url* is a secret, since many receivers put a token into it; *secret* signs.

    *act_url*: whether the receiver gets the link by which whoever has it takes the thread.
    """

    kind: Literal["webhook"] = "webhook"
    act_url: bool = True
    secret: Annotated[SecretStr, AfterValidator(_secret)] | None = None


class Webhook(posting.Posting):
    """Posts one request a notice; follows no redirect."""

    def __init__(self, name: str, options: WebhookOptions, means: Means) -> None:
        super().__init__(name, options, means)
        self._act_url = options.act_url
        self._key = _key(options.secret) if options.secret else None

    async def send(self, notice: Notice, words: Words) -> None:
        """Post the notice; any 2xx is a delivery.

        Raises:
            NotifierError: permanent for a 3xx or 4xx, except 407, 408, 429; `retry_after` as asked.
        """
        body = json.dumps(payload(notice, words, act_url=self._act_url)).encode()
        headers = {
            "Idempotency-Key": stable_id(notice),
            **webhooks.signed(self._key, stable_id(notice), int(words.at.timestamp()), body),
        }
        await posting.post(self._http, self._url, body, operation="webhook", headers=headers)
