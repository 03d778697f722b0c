"""The calls, one method each, within what the store's quota leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore.bigcommerce import offer
from connectors.webstore.bigcommerce.payload import Entries, Hook, Hooks, OneHook, Order, Orders
from core.errors import BadCredentials, OutcomeUnknown, RateLimited
from core.transport import answers
from core.transport.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.webstore.bigcommerce.options import BigCommerceOptions
    from core.transport.http import Http
    from core.transport.salvage import Salvaged

LEFT, RESET = "x-rate-limit-requests-left", "x-rate-limit-time-reset-ms"
FEW = 5
"""So many calls of the store's quota are left to its other applications."""
NO_CONTENT = 204
MOST = 250
"""How many items a page has at most."""


class Api:
    """The calls of one account; what they raise stands in `core.transport.http`.

    A scope that the token lacks is `BadCredentials` that stands `alone`.
    """

    def __init__(self, options: BigCommerceOptions, http: Http) -> None:
        self._options, self._http = options, http
        token = options.access_token.get_secret_value()
        self._headers = {"X-Auth-Token": token, "Accept": "application/json"}

    async def orders(self, since: str, page: int, count: int) -> Salvaged[Orders]:
        """Orders that changed *since*, the one that changed first before the others."""
        asked = {
            "min_date_modified": since,
            "sort": "date_modified:asc",
            "page": str(page),
            "limit": str(count),
        }
        answer = await self._asked("v2/orders", offer.READ_ORDERS, asked)
        return answers.salvaged(_wrapped(answer), Orders, offer.READ_ORDERS, ("id",))

    async def order(self, order: str) -> Order:
        """One order."""
        answer = await self._asked(f"v2/orders/{order}", offer.READ_ORDER)
        return answers.salvaged(answer, Order, offer.READ_ORDER, ("id",)).value

    async def messages(self, order: str, page: int) -> Salvaged[Entries]:
        """Messages about one order."""
        asked = {"page": str(page), "limit": str(MOST)}
        answer = await self._asked(f"v2/orders/{order}/messages", offer.READ_MESSAGES, asked)
        return answers.salvaged(_wrapped(answer), Entries, offer.READ_MESSAGES, ("id",))

    async def hooks(self) -> list[Hook]:
        """The API account's webhooks for messages."""
        asked = {"scope": offer.CREATED, "limit": str(MOST)}
        answer = await self._asked("v3/hooks", offer.READ_HOOKS, asked)
        return answers.salvaged(answer, Hooks, offer.READ_HOOKS, ("id",)).value.data

    async def put_hook(self, known: Hook | None, asked: Mapping[str, object]) -> Hook:
        """A webhook made or, where one is *known*, changed.

        Raises:
            OutcomeUnknown: BigCommerce took it, and does not say what it became.
        """
        path, operation, method = "v3/hooks", offer.ADD_HOOK, "POST"
        if known is not None:
            path, operation, method = f"{path}/{known.id}", offer.CHANGE_HOOK, "PUT"
        try:
            answer = await self._http.send(
                f"{self._options.store}/{path}",
                operation=operation,
                method=method,
                headers=self._headers | {"Content-Type": "application/json"},
                body=json.dumps(asked).encode(),
            )
        except BadCredentials as fault:
            raise _scoped(fault, operation) from None
        try:
            return OneHook.model_validate_json(answer.body).data
        except ValidationError:
            raise OutcomeUnknown(f"{operation}: it was taken, and not shown") from None

    async def _asked(
        self, path: str, operation: str, asked: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer, unless it was one of the last that the quota allows.

        Raises:
            RateLimited: what is left is for others until the window ends.
        """
        try:
            answer = await self._http.get(
                f"{self._options.store}/{path}",
                operation=operation,
                headers=self._headers,
                params=asked,
            )
        except BadCredentials as fault:
            raise _scoped(fault, operation) from None
        left = answer.headers.get(LEFT, "")
        if left.isascii() and left.isdigit() and int(left[:9]) < FEW:
            said = f"{operation}: the store's quota is almost used up"
            raise RateLimited(said, retry_after=_until(answer.headers.get(RESET, "")))
        return answer


def _until(milliseconds: str) -> float | None:
    known = milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) < 10
    return int(milliseconds) / 1000 if known else None


def _wrapped(answer: Answer) -> Answer:
    """A bare list in an envelope; an empty one comes as no content at all."""
    body = b"[]" if answer.status == NO_CONTENT else answer.body
    return Answer(answer.status, answer.headers, b'{"items":' + body + b"}")


def _scoped(fault: BadCredentials, operation: str) -> BadCredentials:
    """403 is a scope that the token lacks: it is good elsewhere."""
    if fault.detail != "403":
        return fault
    hint = "give the API account the scopes Orders (read-only) and Information & Settings"
    told = f"{operation}: the token is good, and may not do this (status 403); {hint}"
    return BadCredentials(told, detail="403", alone=True, raw=fault.raw)
