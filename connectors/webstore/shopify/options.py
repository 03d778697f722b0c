"""What an account at a Shopify store says in the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from connectors.webstore.kind import StoreOptions
from connectors.webstore.outbox import Mail
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.options import Part, Secret, SecureUrl, shaped
from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = timedelta(minutes=1)
"""How often orders are walked through at most."""
SHOWN = timedelta(days=60)
"""How far back orders are shown without the scope ``read_all_orders``."""
VERSION = "2026-10"
"""The version of the Admin API against which this was written; each is served for a year."""


Store = Annotated[
    str, shaped(r"[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com", "is no store's name at Shopify; write"
                " it like lamps.myshopify.com, without https:// and in small letters: it stands in"
                " the admin under Settings, Domains, whatever the shop's own domain is"),
]  # fmt: skip


def _base_url(text: str) -> str:
    """The store's address, without a slash at its end.

    Raises:
        Unfit: it is more than an address.
    """
    parts = urlsplit(text)
    if parts.username or parts.query or parts.fragment:
        raise Unfit("holds more than an address; leave it out: store says where the API is")
    return text.rstrip("/")


class Push(Part):
    """Where Shopify pushes to: *endpoint* exactly as it is registered there.

    One address may serve all stores of an app that are read here.
    """

    endpoint: SecureUrl


class ShopifyOptions(StoreOptions):
    """One store.

    *store* is its ``.myshopify.com`` name. An app enters with *access_token*, or with *client_id*
    and *client_secret*, for which it gets a token each day; what is pushed is signed with that
    secret. Without *mail* nobody can be answered. *look_back* is how far the first walk reads,
    *overlap* how far each later one reads again.
    """

    kind: Literal["shopify"]
    store: Store
    access_token: Secret | None = None
    client_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,100}$")
    client_secret: Secret | None = None
    base_url: Annotated[SecureUrl, AfterValidator(_base_url)] | None = None
    api_version: str = Field(default=VERSION, pattern=r"^20[0-9]{2}-(01|04|07|10)$")
    look_back: PositiveDuration = timedelta(days=30)
    overlap: Duration = timedelta(minutes=15)
    poll_every: PositiveDuration = timedelta(minutes=5)
    disputes: bool = True
    push: Push | None = None
    mail: Mail | None = None

    @model_validator(mode="after")
    def _enters_one_way(self) -> Self:
        if (self.access_token is None) == (self.client_id is None):
            raise Unfit("needs either access_token, or client_id and client_secret")
        if self.client_id is not None and self.client_secret is None:
            raise Unfit("client_id enters with client_secret; write that of the same app")
        return self

    @model_validator(mode="after")
    def _knows_who_pushes(self) -> Self:
        if self.push is not None and self.client_secret is None:
            raise Unfit("push needs client_secret, with which the app's webhooks are signed")
        return self

    @model_validator(mode="after")
    def _is_not_too_eager(self) -> Self:
        if self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 1m; write 1m: what is new is pushed")
        return self

    @property
    def address(self) -> str:
        """Where the store's API is."""
        return self.base_url or f"https://{self.store}"

    @property
    def is_near(self) -> bool:
        """Whether the API is on this machine."""
        return is_loopback(urlsplit(self.address).hostname or "")


def identity(options: ShopifyOptions) -> str:
    """Which store this is."""
    return options.store if options.base_url is None else f"{options.base_url} {options.store}"


def budget(options: ShopifyOptions) -> str:
    """The limit that accounts share: that of one app at one store."""
    return identity(options)


def pushed_to(options: ShopifyOptions) -> str | None:
    """Where pushes go."""
    return None if options.push is None else options.push.endpoint


def findings(options: ShopifyOptions, others: Sequence[ShopifyOptions]) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    del others
    found = []
    if options.push is None:
        found.append(
            "push: is left out: remarks and disputes are found by walks alone, and nobody tells"
            " whom to erase; name the address for pushes, then replyby subscribe"
        )
    if options.mail is None:
        found.append(
            "mail: is left out, so nobody can be answered from here: Shopify's API writes to no"
            " buyer; name the server from which the store writes"
        )
    return tuple(found)
