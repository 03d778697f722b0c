"""All calls of the Graph API leave here: by the account's token, or as the app itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from connectors.webstore.meta import refusals
from core.errors import BadCredentials, BadPayload, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.webstore.meta.options import MetaOptions
    from core.transport.http import Answer, Http
    from core.transport.salvage import Salvaged

M = TypeVar("M", bound=BaseModel)


class Access:
    """Asks and sends for one account. *as_app*: by the app's own key, not by the account's."""

    def __init__(self, http: Http, options: MetaOptions) -> None:
        self._http, self._options = http, options

    async def get(
        self,
        path: str,
        model: type[M],
        *,
        operation: str,
        params: Mapping[str, str] | None = None,
        as_app: bool = False,
    ) -> M:
        """What is at *path*, all of it or nothing.

        Raises:
            ConnectorError: it cannot be had; by Meta's code where it tells one.
        """
        try:
            return await self._http.get_json(
                self._url(path), model, operation=operation, headers=self._headers(as_app),
                params=params,
            )  # fmt: skip
        except (BadCredentials, BadPayload) as fault:
            raise refusals.meant(fault, fault.raw) from None

    async def items(
        self, path: str, model: type[M], *, operation: str, params: Mapping[str, str]
    ) -> Salvaged[M]:
        """As `get`, but what does not fit is set aside and the rest is read."""
        try:
            return await self._http.get_items(
                self._url(path), model, operation=operation, headers=self._headers(as_app=False),
                params=params,
            )  # fmt: skip
        except (BadCredentials, BadPayload) as fault:
            raise refusals.meant(fault, fault.raw) from None

    async def send(
        self, path: str, content: Mapping[str, Any], *, operation: str, as_app: bool = False
    ) -> Answer:
        """Send *content* once.

        Raises:
            BadCredentials, RateLimited, Refused, Unreachable: it was certainly not taken.
            OutcomeUnknown: it may have been.
        """
        answered: list[bytes] = []

        def explain(raw: bytes) -> str:
            answered.append(raw)
            return refusals.words(refusals.code_of(raw))

        headers = {**self._headers(as_app), "Content-Type": "application/json"}
        body = json.dumps(content, ensure_ascii=False).encode()
        try:
            return await self._http.send(
                self._url(path), operation=operation, headers=headers, body=body, explain=explain
            )
        except BadCredentials as fault:
            raise refusals.sent(fault, fault.raw) from None
        except Refused as fault:
            raise refusals.sent(fault, b"".join(answered)) from None

    def _url(self, path: str) -> str:
        return f"{self._options.api}/{self._options.version}/{path}"

    def _headers(self, as_app: bool) -> dict[str, str]:  # noqa: FBT001  # named wherever it is written
        options = self._options
        key = options.access_token.get_secret_value()
        if as_app:
            key = f"{options.app_id}|{options.app_secret.get_secret_value()}"
        return {"Authorization": f"Bearer {key}", "Accept": "application/json"}
