"""What an Amazon account says in the settings."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from connectors.amazon import addresses
from connectors.amazon.marketplaces import BY_ID
from core.connector import Options, Part
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.transport.login import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.amazon.marketplaces import Region

FLOOR = timedelta(minutes=1)

PROTECTED = r"^https://\S+$|^http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/\S*)?$"
"""An address to which secrets are sent: by TLS, or not beyond this machine."""


def _address(text: str) -> str:
    """A mail address in small letters.

    Raises:
        Unfit: it is none, or Amazon's own.
    """
    address = text.strip().lower()
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or any(sign in address for sign in " \t\r\n\0<>,;"):
        raise Unfit("is no mail address; write it like support@shop.example")
    if addresses.is_amazon(address):
        raise Unfit("is Amazon's; write the address from which the shop answers")
    return address


def _line(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text or text != text.strip() or not text.isprintable():
        raise Unfit("is empty or more than a line; copy it without spaces and line breaks")
    return secret


def _host(name: str) -> str:
    """The name of a server, or its address, alone.

    Raises:
        Unfit: it says more.
    """
    with suppress(ValueError):
        return str(ip_address(name.strip("[]")))
    if re.fullmatch(r"[^\s/:@\[\]]+", name) is None:
        raise Unfit("is no name of a server; write it alone, like mail.shop.example: port has a"
                    " key of its own")  # fmt: skip
    return name


def _secure(url: str) -> str:
    if re.search(PROTECTED, url) is None:
        raise Unfit("is no address beginning with https://, and secrets are sent there")
    return url


Address = Annotated[str, AfterValidator(_address)]
Secret = Annotated[SecretStr, AfterValidator(_line)]
Folder = Annotated[str, Field(min_length=1)]
Host = Annotated[str, AfterValidator(_host)]
SecureUrl = Annotated[str, AfterValidator(_secure)]
Tls = Literal["tls", "starttls", "none"]


class Server(Part):
    """A mail server; user and password are the mailbox's."""

    host: Host = Field(min_length=1, max_length=255)
    port: int = Field(ge=1, le=65535)
    tls: Tls = "tls"

    @model_validator(mode="after")
    def _is_protected(self) -> Self:
        if self.tls == "none" and not is_loopback(self.host):
            raise Unfit('tls is "none", which shows the password to all; write "starttls"')
        return self


class Tokens(Part):
    """Entry by tokens (XOAUTH2) in place of a password: Gmail, Microsoft 365."""

    token_url: SecureUrl
    client_id: str = Field(min_length=1)
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    scope: str | None = None

    @model_validator(mode="after")
    def _has_a_secret(self) -> Self:
        if self.client_secret is None and self.refresh_token is None:
            raise Unfit("names no secret; write refresh_token, client_secret or both")
        return self


class SpApi(Part):
    """Amazon's own API: it enriches orders; it reads and answers no message (trap 1).

    *secret_made_on* is the day on which the client secret was made: it dies after 180 days.
    """

    seller_id: str = Field(pattern=r"^[A-Z0-9]{5,30}$")
    client_id: str = Field(min_length=1)
    client_secret: Secret
    refresh_token: Secret
    secret_made_on: date | None = None
    base_url: SecureUrl | None = None
    token_url: SecureUrl | None = None


class AmazonOptions(Options):
    """One seller account at Amazon, read from a mailbox.

    *sender* is the address from which the shop answers, which Amazon must have approved
    (trap 15); *also_own* are others from which its people answer. *marketplaces* are ids; the
    first one's zone counts where a letter names none. *authserv_ids* are the names under which the
    mailbox's own server signs ``Authentication-Results``: without them no letter is proven, clocks
    start at arrival, and copies and decisions end nothing (trap 47). *look_back* is how far the
    first reading goes. *confirmed_after* is the silence after which a reply counts as relayed.
    *same_subject* is how far apart letters without case and order may be in one thread.
    """

    user: str = Field(min_length=1, pattern=r"^[^\r\n\x00]+$")
    password: Secret | None = None
    tokens: Tokens | None = None
    imap: Server
    smtp: Server
    sender: Address
    also_own: tuple[Address, ...] = ()
    inbox: Folder = "INBOX"
    sent: Folder | None = None
    junk: Folder | None = None
    saves_sent: bool | None = None
    marketplaces: tuple[str, ...] = Field(min_length=1)
    authserv_ids: tuple[str, ...] = ()
    look_back: PositiveDuration = timedelta(days=30)
    poll_every: PositiveDuration = timedelta(minutes=2)
    confirmed_after: Duration = timedelta(hours=2)
    same_subject: PositiveDuration = timedelta(days=14)
    returns: bool = True
    sp_api: SpApi | None = None

    @field_validator("marketplaces")
    @classmethod
    def _are_known(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [one for one in ids if one not in BY_ID]
        if unknown:
            raise Unfit("names no marketplace of Amazon's; write ids such as A1PA6795UKMFR9")
        if len({BY_ID[one].region for one in ids}) > 1:
            raise Unfit("names several regions; an account is of one: write one for each")
        return tuple(dict.fromkeys(ids))

    @model_validator(mode="after")
    def _reads_each_folder_once(self) -> Self:
        named = [name for name in (self.inbox, self.junk, self.sent) if name is not None]
        folders = [name.upper() if name.upper() == "INBOX" else name for name in named]
        if len(set(folders)) < len(folders):
            raise Unfit("inbox, junk and sent name one folder twice; name each its own, or none")
        return self

    @model_validator(mode="after")
    def _enters_one_way(self) -> Self:
        if self.password is not None and self.tokens is not None:
            raise Unfit("has password and tokens; remove the one that does not enter the mailbox")
        if self.password is None and self.tokens is None:
            raise Unfit("needs either password or tokens to enter the mailbox")
        if self.poll_every < FLOOR and not is_loopback(self.imap.host):
            raise Unfit("poll_every is below 1m, which mail servers refuse; write 1m")
        return self

    @property
    def own(self) -> frozenset[str]:
        """The addresses from which this account answers, in small letters."""
        return frozenset({self.sender, *self.also_own})

    @property
    def region(self) -> Region:
        """Where the account is: one for all its marketplaces."""
        return BY_ID[self.marketplaces[0]].region


def marketplace(options: AmazonOptions) -> str:
    """The metric label: ``amazon-de``; the country of the first marketplace."""
    return f"amazon-{BY_ID[options.marketplaces[0]].country.lower()}"


def identity(options: AmazonOptions) -> str:
    """Which seller this is: by its own id where known, else by mailbox and marketplaces."""
    places = " ".join(sorted(options.marketplaces))
    if options.sp_api:
        return f"{options.sp_api.seller_id} {places}"
    return f"{options.user.lower()}@{options.imap.host}:{options.imap.port} {places}"


def budget(options: AmazonOptions) -> str:
    """The limit that accounts share: one user's connections to one mailbox."""
    return f"mailbox {options.user.lower()}@{options.imap.host}:{options.imap.port}"


def findings(options: AmazonOptions, others: Sequence[AmazonOptions]) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    found = []
    if not options.authserv_ids:
        doubt = "is empty: no letter is proven, and an answer given at Amazon ends no clock"
        found.append(f"authserv_ids: {doubt}; write the name that your mail server signs with")
    if options.tokens and options.tokens.refresh_token and "microsoft" in options.tokens.token_url:
        doubt = "Microsoft gives another one again and again, and the first ends after 90 days"
        found.append(f"tokens.refresh_token: {doubt}; let the application enter by client_secret")
    if options.sp_api is not None and options.sp_api.secret_made_on is None:
        doubt = "is not set: nobody is told before the client secret dies after 180 days"
        found.append(f"sp_api.secret_made_on: {doubt}; write the day on which it was made")
    if any(budget(other) == budget(options) for other in others):
        doubt = "another account reads this mailbox too, and each sees all of its letters"
        found.append(f"user: {doubt}; give each marketplace account a mailbox of its own")
    return tuple(found)
