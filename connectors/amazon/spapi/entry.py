"""Where a region's API is, and how it is entered: "Login with Amazon" tokens, a name of our own."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from core.errors import BadCredentials
from core.transport.oauth import Grant, OAuth

if TYPE_CHECKING:
    from connectors.amazon.marketplaces import Region
    from connectors.amazon.options import SpApi
    from core.transport.http import Http

HOSTS: dict[Region, str] = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}
TOKENS = "https://api.amazon.com/auth/o2/token"
"""One for all regions."""

LONGEST_AGENT = 500
_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\/()=;"})

_MAKE_ANEW = (
    "is sp_api.client_secret of this client_id, and younger than 180 days? "
    "make a new one in the developer console, and write secret_made_on too"
)
_MENDS = {
    "401": _MAKE_ANEW,
    "invalid_client": _MAKE_ANEW,
    "unauthorized_client": "is sp_api.client_id of the application that the seller authorised?",
    "invalid_grant": "the seller's consent is gone: authorise the application again, "
    "and write the new sp_api.refresh_token",
}


class Entry:
    """The way in; a token is kept until shortly before it ends."""

    def __init__(self, options: SpApi, http: Http) -> None:
        self._oauth = OAuth(
            http,
            Grant(
                url=options.token_url or TOKENS,
                client_id=options.client_id,
                client_secret=options.client_secret.get_secret_value(),
                refresh_token=options.refresh_token.get_secret_value(),
            ),
        )

    async def headers(self) -> dict[str, str]:
        """What goes with every call.

        Raises:
            BadCredentials: the client or the seller's consent is good no more; it says what mends.
            RateLimited, Unreachable, BadPayload: no token came.
        """
        try:
            token = await self._oauth.token()
        except BadCredentials as fault:
            mend = _MENDS.get(
                fault.detail, "look at sp_api's client_id, client_secret and refresh_token"
            )
            raise BadCredentials(f"{fault}: {mend}", detail=fault.detail) from None
        return {
            "x-amz-access-token": token,
            "User-Agent": agent(),
            "Accept": "application/json, application/hal+json",
        }

    def forget(self) -> None:
        """The token was refused: the next call is to have a new one."""
        self._oauth.forget()


@cache
def agent() -> str:
    """The mandatory ``User-Agent``: application, version, language, platform (trap 24)."""
    name, number = "replyby", _escaped(version("replyby"))
    language = f"Python\\/{_escaped(platform.python_version())}"
    said = f"{name}/{number} (Language={language}; Platform={_escaped(platform.system())})"
    return said[:LONGEST_AGENT]


def _escaped(text: str) -> str:
    return text.translate(_ESCAPED)
