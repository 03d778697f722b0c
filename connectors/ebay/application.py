"""What the accounts of one application share: its own token, and its quotas.

An application gets 1,000 tokens a day (developer.ebay.com: OAuth rate limits, read 2026-11-22): one
for each call, or for each of many accounts, would use them up (trap 33).
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from connectors.ebay.limits import Limits
from connectors.ebay.options import PRODUCTION
from core.transport.oauth import Grant, OAuth

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from connectors.ebay.identity import Seller
    from connectors.ebay.options import EbayOptions
    from connectors.ebay.push.keys import Keys
    from core.transport.http import Http

TOKENS = "/identity/v1/oauth2/token"
SCOPE = "https://api.ebay.com/oauth/api_scope"
"""The scope of an application's own token."""

SIDE_BY_SIDE = 2
"""So many questions are under way at a time to each host: a walk of thousands of conversations may
not keep what is pushed meanwhile from being stored."""

Key = tuple[str, str, str]


class Application:
    """One application of one environment; *room* is for questions to each host.

    *keys*, with which eBay signs what it pushes, are there once a push was checked. *sellers* are
    those of its accounts, by their names in the settings.
    """

    def __init__(self, options: EbayOptions, http: Http) -> None:
        self.tokens = OAuth(http, grant(options, scope=SCOPE))
        self.limits = Limits()
        self.keys: Keys | None = None
        self.sellers: dict[str, Seller] = {}
        self.room = {host: asyncio.Semaphore(SIDE_BY_SIDE) for host in PRODUCTION}


_known: WeakKeyDictionary[ClientSession, dict[Key, Application]] = WeakKeyDictionary()
"""By what everything is sent through: it ends with the session."""


def of(options: EbayOptions, http: Http) -> Application:
    """The application of an account, the same one for all its accounts in this process."""
    secret = sha256(options.client_secret.get_secret_value().encode()).hexdigest()
    key = options.base("api"), options.client_id, secret
    applications = _known.setdefault(http.session, {})
    if key not in applications:
        applications[key] = Application(options, http)
    return applications[key]


def grant(
    options: EbayOptions, *, refresh_token: str | None = None, scope: str | None = None
) -> Grant:
    """Who asks for a token; without a *scope* a seller's has all that the seller consented to."""
    return Grant(
        url=f"{options.base('api')}{TOKENS}",
        client_id=options.client_id,
        client_secret=options.client_secret.get_secret_value(),
        refresh_token=refresh_token,
        scope=scope,
        basic=True,
    )
