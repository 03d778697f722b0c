"""What an account at a Magento shop says in the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from connectors.webstore.kind import StoreOptions
from connectors.webstore.orders import Pattern
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.options import Secret, SecureUrl
from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = timedelta(minutes=1)
"""How often orders are walked through at most: a shop serves buyers first."""


def _base_url(text: str) -> str:
    """The shop's address, without its API's path and a slash at its end.

    Raises:
        Unfit: it is more than that.
    """
    parts = urlsplit(text)
    if parts.username or parts.query or parts.fragment:
        raise Unfit("holds more than an address; write the shop's, like https://shop.example")
    return text.rstrip("/").partition("/rest")[0]


class MagentoOptions(StoreOptions):
    """One shop.

    *access_token* is that of an integration. *store_id* reads the orders of one store view alone;
    *automatic* is a pattern of comments that the shop writes by itself, beside those of Magento in
    English. *staff_orders* is false where remarks on orders that the staff made are left out, which
    is known where the shop keeps the address of who placed an order. *look_back* is how far the
    first walk reads, *overlap* how far each later one reads again.
    """

    kind: Literal["magento"]
    base_url: Annotated[SecureUrl, AfterValidator(_base_url)]
    access_token: Secret
    store_id: int | None = Field(default=None, ge=0)
    automatic: Pattern | None = None
    staff_orders: bool = True
    look_back: PositiveDuration = timedelta(days=30)
    overlap: Duration = timedelta(minutes=15)
    poll_every: PositiveDuration = timedelta(minutes=5)

    @model_validator(mode="after")
    def _is_not_too_eager(self) -> Self:
        if self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 1m, which burdens the shop; write 1m")
        return self

    @property
    def is_near(self) -> bool:
        """Whether the shop is on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


def identity(options: MagentoOptions) -> str:
    """Which shop this is."""
    store = "" if options.store_id is None else f" store {options.store_id}"
    return f"{options.base_url}{store}"


def budget(options: MagentoOptions) -> str:
    """The limit that accounts share: calls of one shop."""
    return options.base_url


def findings(options: MagentoOptions, others: Sequence[MagentoOptions]) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    same = [one for one in others if one.base_url == options.base_url]
    if options.store_id is None and any(one.store_id is not None for one in same):
        twice = (
            "store_id: is left out, and another account reads one store of this shop: its orders"
            " are read twice; write a store_id here as well"
        )
        return (twice,)
    return ()
