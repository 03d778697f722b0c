"""What every account behind Meta's Graph API says in the settings."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from connectors.webstore.kind import StoreOptions
from connectors.webstore.orders import Pattern
from core.connector import Credential
from core.options import Secret, SecureUrl, shaped
from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

GRAPH = "https://graph.facebook.com"
VERSION = "v25.0"
"""Of February 2026; a version is served for two years (developers.facebook.com: Graph API
changelog, read 2026-11-22)."""

TOKEN = "access token"  # noqa: S105  # what people call it
"""The name of the key that may end by itself."""

Number = Annotated[
    str, shaped("[0-9]{1,40}", "is no id of Meta's, which is digits alone; copy it from the app's"
                " dashboard: it is neither a phone number nor a name"),
]  # fmt: skip
"""An id of Meta's: digits alone, written as text."""


def _bare(url: str) -> str:
    return url.rstrip("/")


class MetaOptions(StoreOptions):
    """One number, page or profile, reached by one app of the seller's.

    *endpoint* is the public address of ``/push/webstore/<account>`` or of another account of the
    same app, exactly as it is registered there. *token_expires_on* is written down where the
    token ends: a system user's need not. *order_pattern* finds an order's number in what people
    write, as its first group where it has one.
    """

    access_token: Secret
    app_id: Number
    app_secret: Secret
    verify_token: Secret
    endpoint: SecureUrl
    api: Annotated[SecureUrl, AfterValidator(_bare)] = GRAPH
    version: Annotated[str, Field(pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")] = VERSION
    token_expires_on: date | None = None
    order_pattern: Pattern | None = None

    @property
    def is_near(self) -> bool:
        """Whether the API is a stand-in on this machine."""
        return is_loopback(urlsplit(self.api).hostname or "")

    def shares_app(self, other: MetaOptions) -> bool:
        """Whether *other* is of the same app: what one is pushed may concern the other."""
        mine, theirs = self.app_secret.get_secret_value(), other.app_secret.get_secret_value()
        return (self.api, self.app_id, mine) == (other.api, other.app_id, theirs)


def budget(options: MetaOptions) -> str:
    """The limit that accounts share: calls of an app (Graph API: rate limits)."""
    return f"{options.api} app {options.app_id}"


def pushed_to(options: MetaOptions) -> str:
    """The address for pushes that is registered there, of this account or of another of its app."""
    return options.endpoint


def pusher(options: MetaOptions) -> str:
    """The app, whose objects of all kinds may be pushed to one address."""
    return f"Meta's app {options.app_id}"


def credentials(options: MetaOptions) -> tuple[Credential, ...]:
    """The access token, where its day is written down; it ends as that day begins."""
    if options.token_expires_on is None:
        return ()
    return (Credential(TOKEN, datetime.combine(options.token_expires_on, time(tzinfo=UTC))),)


def findings(options: MetaOptions, others: Sequence[MetaOptions]) -> tuple[str, ...]:
    """Addresses of one app that differ: Meta pushes what concerns a kind to one alone."""
    same = [one for one in others if one.shares_app(options)]
    if all(one.endpoint == options.endpoint for one in same):
        return ()
    return (
        (
            "endpoint: differs from that of another account of the same app and kind, and Meta"
            " pushes to one address alone; write the same one in both: it serves all of the app"
        ),
    )


FILLING = {
    "access_token": "sandbox",
    "app_id": "1",
    "app_secret": "sandbox",
    "verify_token": "sandbox",
    "api": "http://127.0.0.1",
}
"""What a sandbox account may leave out; its ``endpoint`` says where it is pushed to."""
