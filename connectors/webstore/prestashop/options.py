"""What an account at a PrestaShop says in the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from connectors.webstore.kind import StoreOptions
from connectors.webstore.outbox import Mail
from core.durations import PositiveDuration
from core.errors import Unfit
from core.options import Secret, SecureUrl
from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = timedelta(seconds=30)
"""How often messages are read at most: the shop's own server answers, which has its buyers too."""


def _base_url(text: str) -> str:
    """The shop's address, without ``/api`` and without a slash at its end.

    Raises:
        Unfit: it is more than an address; a key in it would stand in every log on the way.
    """
    parts = urlsplit(text)
    if parts.username or parts.query or parts.fragment:
        raise Unfit("holds more than an address; write it like https://shop.example")
    return text.rstrip("/").removesuffix("/api").rstrip("/")


def _zone(name: str) -> str:
    """The name of a time zone.

    Raises:
        Unfit: there is none of this name.
    """
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise Unfit("is no time zone; write one like Europe/Paris") from None
    return name


class PrestaShopOptions(StoreOptions):
    """One shop of a PrestaShop, or all shops of one that has several.

    *api_key* is a key of its webservice. *id_shop* is which shop, where there are several.
    *employee_id* is the employee in whose name answers are written down. *time_zone* is the shop's,
    for a key that may not read its configuration. Without *mail* nobody can be answered: what the
    webservice takes is mailed to nobody. *look_back* is how far the first walk reads.
    """

    kind: Literal["prestashop"]
    base_url: Annotated[SecureUrl, AfterValidator(_base_url)]
    api_key: Secret
    id_shop: int | None = Field(default=None, ge=1)
    employee_id: int = Field(default=1, ge=1)
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    look_back: PositiveDuration = timedelta(days=30)
    poll_every: PositiveDuration = timedelta(minutes=2)
    mail: Mail | None = None

    @model_validator(mode="after")
    def _is_not_too_eager(self) -> Self:
        if self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 30s, too often for a shop's own server; write 30s")
        return self

    @property
    def is_near(self) -> bool:
        """Whether the shop is on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


def identity(options: PrestaShopOptions) -> str:
    """Which shop this is."""
    shop = "all shops" if options.id_shop is None else f"shop {options.id_shop}"
    return f"{options.base_url} {shop}"


def budget(options: PrestaShopOptions) -> str:
    """What accounts share: one server."""
    return options.base_url


def findings(options: PrestaShopOptions, others: Sequence[PrestaShopOptions]) -> tuple[str, ...]:
    """An account that can answer nobody, and threads that two accounts read."""
    found = []
    if options.mail is None:
        found.append(
            "mail: is left out, so nobody can be answered from here: PrestaShop's webservice mails"
            " nothing; name the server from which the shop writes"
        )
    if options.id_shop is None and any(
        other.base_url == options.base_url and other.id_shop is not None for other in others
    ):
        found.append(
            "id_shop: is left out, and another account reads one shop of the same PrestaShop: its"
            " messages are counted twice; write id_shop here too"
        )
    return tuple(found)
