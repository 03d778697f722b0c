"""What an eBay account says in the settings."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from connectors.ebay.sites import SITES
from core import languages
from core.connector import Options, Part
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.transport.proxy import is_loopback, is_web_address

if TYPE_CHECKING:
    from collections.abc import Sequence

Host = Literal["api", "apiz", "apim", "auth"]
"""eBay's hosts: most calls, disputes and identity, media, and consent."""

PRODUCTION: dict[Host, str] = {
    "api": "https://api.ebay.com",
    "apiz": "https://apiz.ebay.com",
    "apim": "https://apim.ebay.com",
    "auth": "https://auth.ebay.com",
}
SANDBOX: dict[Host, str] = {
    name: base.replace(".ebay.com", ".sandbox.ebay.com") for name, base in PRODUCTION.items()
}

FLOOR = timedelta(minutes=1)
"""How often at most eBay itself is asked for one thing, whatever the settings say."""

REFRESH_LASTS = timedelta(seconds=47_304_000)
"""Eighteen months: how long a refresh token is good after the seller's consent
(developer.ebay.com: OAuth, refresh token grant, read 2026-11-22)."""


def _near(url: str) -> str:
    """The address of a stand-in on this machine, without a slash at its end.

    Raises:
        Unfit: it is elsewhere, and secrets are sent there.
    """
    base = url.strip().rstrip("/")
    if not is_web_address(base) or not is_loopback(urlsplit(base).hostname or ""):
        raise Unfit("leads beyond this machine; leave it out: eBay's own hosts are known")
    return base


def _line(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text or text != text.strip() or not text.isascii() or not text.isprintable():
        raise Unfit("is empty or more than a line; copy it without spaces and line breaks")
    return secret


def _endpoint(url: str) -> str:
    """An address for pushes as it is registered at eBay: no sign of it is changed (trap 40).

    Raises:
        Unfit: eBay could not reach it, or would show to all what it sends.
    """
    if not is_web_address(url):
        raise Unfit("is no web address; write it exactly as it is registered at eBay")
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise Unfit("does not begin with https://, which eBay demands")
    if parts.query or parts.fragment:
        raise Unfit("holds a query or a fragment, to which eBay appends its challenge")
    return url


Near = Annotated[str, AfterValidator(_near)]
Secret = Annotated[SecretStr, AfterValidator(_line)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]+$")]


class Hosts(Part):
    """Where a stand-in on this machine is, in place of eBay's own hosts."""

    api: Near | None = None
    apiz: Near | None = None
    apim: Near | None = None
    auth: Near | None = None


class Push(Part):
    """Where eBay pushes to: exactly as registered there, with the token that was given to it."""

    endpoint: Annotated[str, AfterValidator(_endpoint)]
    verification_token: SecretStr

    @field_validator("verification_token")
    @classmethod
    def _is_as_ebay_demands(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value()
        fits = text.isascii() and all(sign.isalnum() or sign in "_-" for sign in text)
        if not fits or not 32 <= len(text) <= 80:
            raise Unfit("is no verification token; write 32 to 80 letters, digits, _ and -")
        return token


class EbayOptions(Options):
    """One seller at one site of eBay.

    *seller* is the own user name; *seller_ids* are the immutable ids that stand in its place where
    eBay hides names. *refresh_token* is made by the seller's consent; it ends on
    *refresh_token_expires*, or 18 months after *refresh_token_made*, where one of them is written.
    *marketplace* is the site (``EBAY_DE``). *look_back* is how far the first walk reads, *overlap*
    how far each later one reads again. *messages_by*: ``trading`` for a seller whose consent lacks
    the scope of messages; *disputes* off for one whose consent lacks theirs. *hosts* are for a
    stand-in on this machine alone.
    """

    client_id: Annotated[str, Field(min_length=1, pattern=r"^[^\s:\x00-\x1f\x7f]+$")]
    client_secret: Secret
    refresh_token: Secret
    refresh_token_made: date | None = None
    refresh_token_expires: date | None = None
    seller: Name
    seller_ids: tuple[Name, ...] = ()
    marketplace: str = "EBAY_DE"
    environment: Literal["production", "sandbox"] = "production"
    hosts: Hosts = Hosts()
    look_back: PositiveDuration = timedelta(days=30)
    overlap: Duration = timedelta(minutes=10)
    poll_every: PositiveDuration = timedelta(minutes=2)
    dossiers_every: PositiveDuration = timedelta(minutes=5)
    messages_by: Literal["rest", "trading"] = "rest"
    disputes: bool = True
    push: Push | None = None

    @field_validator("marketplace")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in SITES:
            raise Unfit("names no site of eBay's; write an id such as EBAY_DE or EBAY_GB")
        return name

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        told = [one is None for one in self.hosts.model_dump().values()]
        if any(told) and not all(told):
            raise Unfit("hosts names some of api, apiz, apim and auth; name all four, or none")
        if self.refresh_token_made and self.refresh_token_expires:
            raise Unfit("refresh_token_made and refresh_token_expires say one thing; write one")
        if not self.is_near and min(self.poll_every, self.dossiers_every) < FLOOR:
            raise Unfit("poll_every or dossiers_every is below 1m, which wastes calls; write 1m")
        return self

    @property
    def own(self) -> frozenset[str]:
        """The names and ids of the seller, as `str.casefold` makes them."""
        return frozenset(name.casefold() for name in (self.seller, *self.seller_ids))

    @property
    def is_near(self) -> bool:
        """Whether eBay is a stand-in on this machine, whose limits are our own."""
        return self.hosts.api is not None

    @property
    def expires_on(self) -> date | None:
        """The day on which the refresh token ends, where it is known."""
        if self.refresh_token_made is not None:
            return self.refresh_token_made + REFRESH_LASTS
        return self.refresh_token_expires

    def base(self, host: Host) -> str:
        """The address of one of eBay's hosts, without a slash at its end."""
        known = PRODUCTION if self.environment == "production" else SANDBOX
        near: str | None = getattr(self.hosts, host)
        return near or known[host]


def marketplace(options: EbayOptions) -> str:
    """The metric label: ``ebay-de``."""
    return options.marketplace.lower().replace("_", "-")


def language(options: EbayOptions) -> str | None:
    """What buyers write at its site; None where they write several languages."""
    return languages.of_country(options.marketplace.removeprefix("EBAY_"))


def identity(options: EbayOptions) -> str:
    """Which seller this is, where."""
    return f"{options.seller.casefold()}@{options.base('api')}"


def budget(options: EbayOptions) -> str:
    """The limit that accounts share: the calls of one application."""
    return f"ebay {options.base('api')} {sha256(options.client_id.encode()).hexdigest()[:12]}"


def pushed_to(options: EbayOptions) -> str | None:
    """The address that eBay pushes to."""
    return None if options.push is None else options.push.endpoint


def findings(options: EbayOptions, others: Sequence[EbayOptions]) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    found = []
    if options.expires_on is None and not options.is_near:
        doubt = "is not set: nobody is told before the refresh token ends after 18 months"
        found.append(f"refresh_token_made: {doubt}; write the day of the seller's consent")
    if options.push is None:
        doubt = "is not set: eBay obliges who stores its users' data to take deletion notices"
        found.append(f"push: {doubt}; write endpoint and verification_token")
    elif any(_contradicts(options, other) for other in others):
        doubt = "another account has the same endpoint with another token: one challenge fails"
        found.append(f"push.verification_token: {doubt}; write the same one")
    return tuple(found)


def _contradicts(options: EbayOptions, other: EbayOptions) -> bool:
    if options.push is None or other.push is None:
        return False
    here, there = options.push, other.push
    return here.endpoint == there.endpoint and here.verification_token != there.verification_token
