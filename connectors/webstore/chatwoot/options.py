"""What an account at Chatwoot says in the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from connectors.webstore.kind import StoreOptions
from connectors.webstore.orders import Pattern
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.options import Part, Secret, SecureUrl
from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = timedelta(seconds=10)
"""How often conversations are read at most; no limit of that kind is documented."""


def _base_url(text: str) -> str:
    """The server's address, without a slash at its end.

    Raises:
        Unfit: it is more than an address.
    """
    parts = urlsplit(text)
    if parts.username or parts.query or parts.fragment:
        raise Unfit("holds more than an address; write it like https://chat.shop.example")
    return text.rstrip("/")


class Push(Part):
    """Where Chatwoot pushes to: *endpoint* exactly as it is registered there.

    *secret* is the webhook's own, by which it signs. *unsigned* is for servers older than 4.13,
    which do not sign: then nothing that is pushed is believed, it only has us look sooner.
    """

    endpoint: SecureUrl
    secret: Secret | None = None
    unsigned: bool = False

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.unsigned and self.secret is not None:
            raise Unfit("says unsigned and names a secret; keep the secret if the server signs")
        return self


class ChatwootOptions(StoreOptions):
    """One inbox of an account at a Chatwoot server, or all that the token may see.

    *api_token* is a user's access token. *look_back* is how far the first walk reads, *overlap* how
    far each later one reads again. *order_attribute* is the custom attribute of a conversation that
    names its orders; where it names none, *order_pattern* finds them in what the contact writes,
    as its first group where it has one.
    """

    kind: Literal["chatwoot"]
    base_url: Annotated[SecureUrl, AfterValidator(_base_url)]
    account_id: int = Field(ge=1)
    inbox_id: int | None = Field(default=None, ge=1)
    api_token: Secret
    look_back: PositiveDuration = timedelta(days=30)
    overlap: Duration = timedelta(minutes=10)
    poll_every: PositiveDuration = timedelta(seconds=30)
    order_attribute: str = Field(default="order_id", min_length=1, max_length=100)
    order_pattern: Pattern | None = None
    push: Push | None = None

    @model_validator(mode="after")
    def _is_not_too_eager(self) -> Self:
        if self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 10s, too often for a server of others; write 10s")
        return self

    @property
    def is_near(self) -> bool:
        """Whether the server is on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def place(self) -> str:
        """The account at its server: several of ours may read it."""
        return f"{self.base_url} account {self.account_id}"

    def reads(self, inbox: str | None) -> bool:
        """Whether conversations of *inbox* are this account's; None: nobody says of which."""
        return self.inbox_id is None or inbox == str(self.inbox_id)


def identity(options: ChatwootOptions) -> str:
    """Which inbox this is."""
    inbox = "all inboxes" if options.inbox_id is None else f"inbox {options.inbox_id}"
    return f"{options.place} {inbox}"


def budget(options: ChatwootOptions) -> str:
    """The limit that accounts share: calls from one address to one server."""
    return options.base_url


def pushed_to(options: ChatwootOptions) -> str | None:
    """The address for pushes that is registered there."""
    return None if options.push is None else options.push.endpoint


def findings(options: ChatwootOptions, others: Sequence[ChatwootOptions]) -> tuple[str, ...]:
    """Pushes that nobody can believe, and an inbox that two accounts read."""
    found = []
    push = options.push
    if push is not None and push.secret is None and not push.unsigned:
        found.append(
            "push.secret: is missing, so every push is refused; replyby subscribe tells it,"
            " or write unsigned = true where the server does not sign"
        )
    if options.inbox_id is None and any(
        other.place == options.place and other.inbox_id is not None for other in others
    ):
        found.append(
            "inbox_id: is left out, and another account reads an inbox of the same account at"
            " Chatwoot: its conversations are counted twice; write inbox_id here too"
        )
    return tuple(found)
