"""With which token a store is asked: one that stands in the settings, or one for a day.

Source: shopify.dev/docs/apps/build/authentication-authorization/client-credentials-grant: an app of
the store's own organization gets a token for 24 hours for its client id and secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import BadCredentials
from core.transport.oauth import Grant, OAuth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from connectors.webstore.shopify.options import ShopifyOptions
    from core.transport.answers import Answer
    from core.transport.http import Http

    Ask = Callable[[Mapping[str, str]], Awaitable[Answer]]

TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105  # a path


class Access:
    """The token of one account."""

    def __init__(self, options: ShopifyOptions, http: Http) -> None:
        self._oauth: OAuth | None = None
        self._token = options.access_token.get_secret_value() if options.access_token else ""
        if options.client_id is not None and options.client_secret is not None:
            secret = options.client_secret.get_secret_value()
            url = f"{options.address}{TOKEN_PATH}"
            self._oauth = OAuth(http, Grant(url, options.client_id, secret))

    async def authorized(self, ask: Ask) -> Answer:
        """The answer to *ask*, which is handed the headers; a token that ended is renewed once.

        Raises:
            ConnectorError: as *ask*, and as `core.transport.oauth` says.
        """
        token = await self._now()
        try:
            return await ask(_headers(token))
        except BadCredentials as fault:
            if self._oauth is None or fault.detail != "401":
                raise
        self._oauth.forget(token)
        return await ask(_headers(await self._now()))

    async def _now(self) -> str:
        return self._token if self._oauth is None else await self._oauth.token()


def _headers(token: str) -> dict[str, str]:
    return {
        "X-Shopify-Access-Token": token,
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
