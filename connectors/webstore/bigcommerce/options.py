"""What an account at a BigCommerce store says in the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from connectors.webstore.kind import StoreOptions
from connectors.webstore.outbox import Mail
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.options import Part, Secret, SecureUrl
from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = timedelta(minutes=1)
"""How often orders are walked through at most: each that changed costs a call."""


def _base_url(text: str) -> str:
    """The API's address, without a slash at its end.

    Raises:
        Unfit: it is more than an address.
    """
    parts = urlsplit(text)
    if parts.username or parts.query or parts.fragment:
        raise Unfit(
            "holds more than an address; leave it out, or write https://api.bigcommerce.com"
        )
    return text.rstrip("/")


class Push(Part):
    """Where BigCommerce pushes to: *endpoint* exactly as it is registered there.

    *client_secret* is that of the API account: what is pushed is signed with it.
    """

    endpoint: SecureUrl
    client_secret: Secret


class BigCommerceOptions(StoreOptions):
    """One store.

    *store_hash* names it, *access_token* is that of an API account. Without *mail* nobody can be
    answered: the API takes no message. *look_back* is how far the first walk reads, *overlap* how
    far each later one reads again.
    """

    kind: Literal["bigcommerce"]
    store_hash: str = Field(pattern=r"^[a-z0-9]{1,30}$")
    access_token: Secret
    base_url: Annotated[SecureUrl, AfterValidator(_base_url)] = "https://api.bigcommerce.com"
    look_back: PositiveDuration = timedelta(days=30)
    overlap: Duration = timedelta(minutes=15)
    poll_every: PositiveDuration = timedelta(minutes=5)
    push: Push | None = None
    mail: Mail | None = None

    @model_validator(mode="after")
    def _is_not_too_eager(self) -> Self:
        if self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 1m, which uses up the store's quota; write 1m")
        return self

    @property
    def is_near(self) -> bool:
        """Whether the API is on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def store(self) -> str:
        """The store at its address: several of ours may read it."""
        return f"{self.base_url}/stores/{self.store_hash}"


def identity(options: BigCommerceOptions) -> str:
    """Which store this is."""
    return options.store


def budget(options: BigCommerceOptions) -> str:
    """The limit that accounts share: calls of one store."""
    return options.store


def pushed_to(options: BigCommerceOptions) -> str | None:
    """Where pushes go."""
    return None if options.push is None else options.push.endpoint


def findings(options: BigCommerceOptions, others: Sequence[BigCommerceOptions]) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    del others
    found = []
    if options.push is None:
        found.append(
            "push: is left out: a message is found only when its order changes; name the address"
            " for pushes, then replyby subscribe"
        )
    if options.mail is None:
        found.append(
            "mail: is left out, so nobody can be answered from here: BigCommerce's API takes no"
            " message; name the server from which the store writes"
        )
    return tuple(found)
