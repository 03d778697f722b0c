"""Applications: what sellers let them do, their tokens, their calls, where pushes go."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.ebay.sandbox.destinations import Subscribed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.ebay.sandbox.market import Market, Seller

Api = tuple[str, str]
"""An API as rate limits name it: context and name."""

TOKEN_LASTS = timedelta(seconds=7200)
CONSENT_LASTS = timedelta(seconds=47_304_000)
GRANTS_A_DAY = {"client_credentials": 1000, "authorization_code": 10_000, "refresh_token": 50_000}

SCOPE = "https://api.ebay.com/oauth/api_scope"
SCOPES = (
    SCOPE,
    f"{SCOPE}/commerce.message",
    f"{SCOPE}/commerce.notification.subscription",
    f"{SCOPE}/commerce.identity.readonly",
    f"{SCOPE}/sell.fulfillment",
    f"{SCOPE}/sell.payment.dispute",
    f"{SCOPE}/sell.inventory",
)
"""What a seller consents to unless a test says otherwise."""

CALLS_A_DAY: dict[Api, int] = {
    ("commerce", "message"): 50_000,
    ("commerce", "notification"): 10_000,
    ("commerce", "identity"): 5_000,
    ("commerce", "media"): 50_000,
    ("developer", "analytics"): 5_000,
    ("sell", "fulfillment"): 100_000,
    ("sell", "post-order"): 50_000,
    ("tradingapi", "TradingAPI"): 5_000,
}


@dataclass(slots=True)
class Token:
    """What a token opens: the seller's things, or the application's own (None)."""

    seller: Seller | None
    scopes: frozenset[str]
    until: datetime


@dataclass(slots=True)
class Consent:
    """A refresh token's worth."""

    seller: Seller
    scopes: frozenset[str]
    until: datetime


@dataclass(slots=True)
class Application:
    """A keyset of a developer: its tokens, its calls a day, its place for pushes.

    *limits* may be changed at any time; what was used is counted by day.
    """

    client_id: str
    client_secret: str
    market: Market
    consents: dict[str, Consent] = field(default_factory=dict)
    codes: dict[str, Consent] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    limits: dict[Api, int] = field(default_factory=lambda: dict(CALLS_A_DAY))
    grants: dict[str, int] = field(default_factory=lambda: dict(GRANTS_A_DAY))
    used: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    subscribed: Subscribed = field(default_factory=Subscribed)

    def consent(self, seller: Seller, scopes: Iterable[str] = SCOPES) -> str:
        """*seller* lets this application in for 18 months; the refresh token."""
        made = self.market.token()
        until = self.market.clock() + CONSENT_LASTS
        self.consents[made] = Consent(seller, frozenset(scopes), until)
        return made

    def revoke(self, seller: Seller) -> None:
        """*seller* takes every consent back: refresh tokens and access tokens die."""
        gone = [name for name, one in self.consents.items() if one.seller is seller]
        for name in gone:
            del self.consents[name]
        self.tokens = {k: one for k, one in self.tokens.items() if one.seller is not seller}

    def mint(self, seller: Seller | None, scopes: Iterable[str]) -> str:
        """An access token, good for two hours; those that have ended are forgotten."""
        made, now = self.market.token(), self.market.clock()
        self.tokens = {name: one for name, one in self.tokens.items() if now < one.until}
        self.tokens[made] = Token(seller, frozenset(scopes), now + TOKEN_LASTS)
        return made

    def expire_tokens(self) -> None:
        """Every access token has ended by now."""
        for one in self.tokens.values():
            one.until = self.market.clock()

    def spend(self, what: tuple[Any, ...], limit: int | None) -> bool:
        """Count one more of *what* today; False where the day's *limit* is used up."""
        key = (*what, self.market.day())
        if limit is not None and self.used[key] >= limit:
            return False
        self.used[key] += 1
        return True

    def spent(self, what: tuple[Any, ...]) -> int:
        """How many of *what* were used today."""
        return self.used[(*what, self.market.day())]
