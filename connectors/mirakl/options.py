"""What an account at a Mirakl operator says in the settings."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from core.connector import Options
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.transport.proxy import is_loopback, is_web_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from urllib.parse import SplitResult

FLOOR = timedelta(minutes=2)
PAGES = frozenset({"thread", "order"})


def _base_url(text: str) -> str:
    """The operator's address without ``/api`` and without a slash at the end.

    Raises:
        Unfit: no address, or one that would show the key to everybody on the way.
    """
    base = text.strip().rstrip("/").removesuffix("/api").rstrip("/")
    if not is_web_address(base):
        raise Unfit("is no web address; write https://<operator>.mirakl.net")
    parts = urlsplit(base)
    if parts.username or parts.query or parts.fragment:
        raise Unfit("holds more than an address; leave out user, query and fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Unfit("would send the key unencrypted; write https://")
    return f"{parts.scheme}://{_place(parts)}{parts.path}"


def _place(parts: SplitResult) -> str:
    """Host and port in one spelling: small letters, the usual port left out.

    Raises:
        Unfit: the port is none.
    """
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    try:
        port = parts.port
    except ValueError:
        raise Unfit("has no usable port; write digits up to 65535") from None
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{host}" if port in {None, usual} else f"{host}:{port}"


class MiraklOptions(Options):
    """One shop at one operator.

    *operator* picks the contracts and names the marketplace in metrics; ``mediamarkt-de`` is
    judged as ``mediamarkt``. *shop_id* is needed where the key opens several shops. *look_back* is
    how far the first walk reads, *overlap* how far each later one reads again. *locale* is the
    language of the reasons (``fr_FR``). *thread_url* leads people to a thread, with ``{thread}``
    and ``{order}``; left out, to the order's page.
    """

    base_url: Annotated[str, AfterValidator(_base_url)]
    api_key: SecretStr
    operator: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    shop_id: int | None = Field(default=None, ge=0)
    look_back: PositiveDuration = timedelta(days=90)
    overlap: Duration = timedelta(minutes=10)
    poll_every: PositiveDuration = timedelta(minutes=5)
    incidents: bool = True
    locale: str | None = Field(default=None, pattern=r"^[a-z]{2}_[A-Z]{2}$")
    thread_url: str | None = None

    @field_validator("api_key")
    @classmethod
    def _is_a_header(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text or not text.isascii() or not text.isprintable() or text != text.strip():
            raise Unfit("is no key; copy it without spaces and line breaks")
        return key

    @field_validator("thread_url")
    @classmethod
    def _is_a_template(cls, template: str | None) -> str | None:
        try:
            names = {
                name for _, name, _, _ in Formatter().parse(template or "") if name is not None
            }
        except ValueError:
            names = {""}
        if not names <= PAGES:
            raise Unfit("may hold {thread} and {order} and nothing else in braces")
        return template

    @model_validator(mode="after")
    def _is_not_too_eager(self) -> Self:
        if self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 2m, which the operator does not allow; write 2m")
        return self

    @property
    def host(self) -> str:
        """The operator's host."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_near(self) -> bool:
        """Whether the operator is a stand-in on this machine, whose limits are our own."""
        return is_loopback(self.host)

    @property
    def rules(self) -> str | None:
        """Whose contracts count: the operator without its country."""
        return self.operator.partition("-")[0] if self.operator else None


def marketplace(options: MiraklOptions) -> str:
    """The metric label: the operator, else its host."""
    return options.operator or options.host


def identity(options: MiraklOptions) -> str:
    """Which shop this is. Without a `shop_id` it is the key's own: told by the key's digest."""
    place = f"{options.operator}@{options.base_url}" if options.is_near else options.base_url
    shop = str(options.shop_id) if options.shop_id is not None else f"key {_digest(options)}"
    return f"{place} shop {shop}"


def budget(options: MiraklOptions) -> str:
    """The limit that accounts share: calls by one key at one operator."""
    return f"mirakl {options.base_url} {_digest(options)}"


def findings(options: MiraklOptions, others: Sequence[MiraklOptions]) -> tuple[str, ...]:
    """A key that another account uses for one shop, which may be the same."""
    if options.shop_id is None and any(
        other.shop_id is not None and budget(other) == budget(options) for other in others
    ):
        doubt = "is left out, and another account reads a shop with the same key, perhaps this one"
        return (f"shop_id: {doubt}; write shop_id here too",)
    return ()


def _digest(options: MiraklOptions) -> str:
    return sha256(options.api_key.get_secret_value().encode()).hexdigest()[:12]
