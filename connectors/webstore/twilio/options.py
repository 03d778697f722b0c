"""What a number at Twilio says in the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from connectors.webstore.kind import StoreOptions
from connectors.webstore.orders import Pattern
from connectors.webstore.twilio import identity as numbers
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.options import Secret, SecureUrl, shaped
from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = timedelta(seconds=10)
"""How often lists are read at most; Twilio publishes no number, and answers 429 beyond it."""


AccountSid = Annotated[
    str,
    shaped("AC[0-9a-f]{32}", "is no account's SID: it is AC and 32 digits or letters from a to f,"
           " on the first page of Twilio's console; one with SK belongs into api_key"),
]  # fmt: skip
ApiKey = Annotated[
    str, shaped("SK[0-9a-f]{32}", "is no API key's SID: it is SK and 32 digits or letters from a"
                " to f; its secret belongs into api_secret"),
]  # fmt: skip
Number = Annotated[
    str, shaped(r"(whatsapp:)?\+[1-9][0-9]{5,14}", "is no number as Twilio writes it: + and the"
                " country first, no 0 before the area, no blanks, like +492211234567; before a"
                " sender of WhatsApp whatsapp:"),
]  # fmt: skip


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.username or parts.query or parts.fragment or parts.path.strip("/"):
        raise Unfit("holds more than an address; write it like https://api.twilio.com")
    return text.rstrip("/")


class TwilioOptions(StoreOptions):
    """One number: ``+48...`` for SMS and calls, ``whatsapp:+48...`` for WhatsApp.

    *auth_token* signs what is pushed, and enters where no *api_key* with its *api_secret* does.
    *endpoint* is our address exactly as it is registered at Twilio, query included. *registered*:
    the number's own webhooks are to be ours. *opt_out*: Twilio answers STOP by itself.
    *automatic_services* are messaging services by which machines write. *look_back* is how far the
    first walk reads, *overlap* how far each later one reads again. *order_pattern* finds an order's
    number in what buyers write, as its first group where it has one; not in what a machine
    understood of a voicemail.
    """

    kind: Literal["twilio"]
    account_sid: AccountSid
    auth_token: Secret | None = None
    api_key: ApiKey | None = None
    api_secret: Secret | None = None
    number: Number
    endpoint: SecureUrl | None = None
    registered: bool = True
    voice: bool = True
    transcriptions: bool = False
    opt_out: bool = True
    automatic_services: tuple[str, ...] = ()
    order_pattern: Pattern | None = None
    base_url: Annotated[SecureUrl, AfterValidator(_base_url)] = "https://api.twilio.com"
    look_back: PositiveDuration = timedelta(days=30)
    overlap: Duration = timedelta(minutes=10)
    poll_every: PositiveDuration = timedelta(minutes=1)

    @model_validator(mode="after")
    def _can_enter(self) -> Self:
        if (self.api_key is None) != (self.api_secret is None):
            raise Unfit("names one of api_key and api_secret; write both, or auth_token alone")
        if self.auth_token is None and self.api_key is None:
            raise Unfit("needs auth_token, or api_key with api_secret, to enter the account")
        if self.endpoint is not None and self.auth_token is None:
            raise Unfit("has an endpoint and no auth_token, by which Twilio signs; write it too")
        if self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 10s, too often for Twilio; write 10s")
        return self

    @property
    def is_near(self) -> bool:
        """Whether it is a stand-in on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def is_whatsapp(self) -> bool:
        """Whether it is a sender of WhatsApp; a phone number otherwise."""
        return self.number.startswith(numbers.WHATSAPP)

    @property
    def hears_calls(self) -> bool:
        """Whether calls are read."""
        return self.voice and not self.is_whatsapp

    @property
    def watches_number(self) -> bool:
        """Whether it is looked after what is registered at the number."""
        return self.endpoint is not None and self.registered and not self.is_whatsapp


def identity(options: TwilioOptions) -> str:
    """Which number this is; the number itself is the shop's, not a buyer's."""
    return f"{options.base_url} {options.account_sid} {options.number}"


def budget(options: TwilioOptions) -> str:
    """The limit that numbers share: calls of one account."""
    return f"{options.base_url} {options.account_sid}"


def pushed_to(options: TwilioOptions) -> str | None:
    """Our address as Twilio was told it."""
    return options.endpoint


def findings(options: TwilioOptions, others: Sequence[TwilioOptions]) -> tuple[str, ...]:
    """An address for pushes that a number of the same account does not share."""
    found = []
    if options.endpoint is None and not options.is_near:
        found.append(
            "endpoint: is left out, so nothing is pushed: what is new is seen with the next poll,"
            " and of replies nobody hears sooner whether they arrived"
        )
    same = [one for one in others if one.account_sid == options.account_sid]
    if any(one.auth_token != options.auth_token for one in same if one.endpoint and one.auth_token):
        found.append("auth_token: another number of the same account at Twilio has another one")
    return tuple(found)
