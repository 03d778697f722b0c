"""What an account at a WooCommerce shop says in the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from connectors.webstore.kind import StoreOptions
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.options import Part, Secret, SecureUrl
from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = timedelta(minutes=1)
"""How often orders are walked through at most: a small WordPress serves buyers first."""

API = "/wp-json"


def _base_url(text: str) -> str:
    """The shop's address, without a slash at its end.

    Raises:
        Unfit: it is more than that: keys in an address stand in logs.
    """
    parts = urlsplit(text)
    if parts.username or parts.query or parts.fragment:
        raise Unfit(
            "holds more than an address; write the shop's, like https://shop.example: keys have"
            " options of their own"
        )
    return text.rstrip("/").partition(API)[0]


class Push(Part):
    """Where WooCommerce pushes to: *endpoint* exactly as it is registered there.

    *secret* is what the webhooks sign with: make it up, `replyby subscribe` tells it to the shop.
    """

    endpoint: SecureUrl
    secret: Secret


class WooCommerceOptions(StoreOptions):
    """One shop.

    *base_url* is the address of its WordPress. *permalinks* is false where that has plain ones,
    whose API stands at ``/?rest_route=``. *look_back* is how far the first walk reads, *overlap*
    how far each later one reads again.
    """

    kind: Literal["woocommerce"]
    base_url: Annotated[SecureUrl, AfterValidator(_base_url)]
    consumer_key: Secret
    consumer_secret: Secret
    permalinks: bool = True
    look_back: PositiveDuration = timedelta(days=30)
    overlap: Duration = timedelta(minutes=15)
    poll_every: PositiveDuration = timedelta(minutes=5)
    push: Push | None = None

    @model_validator(mode="after")
    def _is_not_too_eager(self) -> Self:
        if self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 1m, which burdens the shop; write 1m")
        return self

    @model_validator(mode="after")
    def _keys_stand_where_they_belong(self) -> Self:
        key, secret = self.consumer_key.get_secret_value(), self.consumer_secret.get_secret_value()
        if key.startswith("cs_") or secret.startswith("ck_"):
            raise Unfit("consumer_key begins with ck_ and consumer_secret with cs_; change them")
        return self

    @property
    def is_near(self) -> bool:
        """Whether the shop is on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


def identity(options: WooCommerceOptions) -> str:
    """Which shop this is."""
    return options.base_url


def budget(options: WooCommerceOptions) -> str:
    """The limit that accounts share: calls of one shop."""
    return options.base_url


def pushed_to(options: WooCommerceOptions) -> str | None:
    """Where pushes go."""
    return None if options.push is None else options.push.endpoint


def findings(options: WooCommerceOptions, others: Sequence[WooCommerceOptions]) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    del others
    if options.push is not None:
        return ()
    unpushed = (
        "push: is left out: a remark is found by the next walk; name the address for pushes, then"
        " replyby subscribe"
    )
    return (unpushed,)
