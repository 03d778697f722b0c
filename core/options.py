"""What an account says to its connector, and the parts of it that several connectors share."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from core.durations import PositiveDuration
from core.errors import Unfit
from core.transport.login import is_loopback

PROTECTED = r"^https://\S+$|^http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/\S*)?$"
"""An address to which secrets are sent: by TLS, or not beyond this machine."""


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
        raise Unfit("is no address beginning with https://, and secrets are sent there; write"
                    " https://, or put a proxy with TLS before that server")  # fmt: skip
    return url


def mail_address(text: str) -> str:
    """A mail address in small letters.

    Raises:
        Unfit: it is none.
    """
    address = text.strip().lower()
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or any(sign in address for sign in " \t\r\n\0<>,;"):
        raise Unfit("is no mail address; write it like support@shop.example")
    return address


def shaped(pattern: str, mend: str) -> AfterValidator:
    """Text that the whole of *pattern* describes; *mend* says to who writes another what it is."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise Unfit(mend)
        return text

    return AfterValidator(check)


Secret = Annotated[SecretStr, AfterValidator(_line)]
"""A secret of one printable line."""
SecureUrl = Annotated[str, AfterValidator(_secure)]
"""An address to which secrets may be sent."""
Host = Annotated[str, AfterValidator(_host)]
MailAddress = Annotated[str, AfterValidator(mail_address)]
Folder = Annotated[str, Field(min_length=1)]
Tls = Literal["tls", "starttls", "none"]

FLOOR = timedelta(minutes=1)
"""Mail servers refuse who asks oftener."""


class Part(BaseModel):
    """A part of the options, a table of its own in the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Options(Part):
    """What an account says to its connector in the settings; each connector subclasses it.

    A secret is a `SecretStr`; in the settings it is a reference, ``env:NAME`` or ``file:/path``.
    """


class MailServer(Part):
    """A mail server; user and password are the mailbox's."""

    host: Host = Field(min_length=1, max_length=255)
    port: int = Field(ge=1, le=65535)
    tls: Tls = "tls"

    @model_validator(mode="after")
    def _is_protected(self) -> Self:
        if self.tls == "none" and not is_loopback(self.host):
            raise Unfit('tls is "none", which shows the password to all; write "starttls"')
        return self


class MailTokens(Part):
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


class MailAccount(Options):
    """An account that is read from a mailbox, and answers by mail.

    *authserv_ids* are the names under which the mailbox's own server signs
    ``Authentication-Results``: without them nothing is proven of a sender. *saves_sent*: the
    provider keeps by itself what is sent through it. *look_back* is how far the first reading goes.
    """

    user: str = Field(min_length=1, pattern=r"^[^\r\n\x00]+$")
    password: Secret | None = None
    tokens: MailTokens | None = None
    imap: MailServer
    smtp: MailServer
    inbox: Folder = "INBOX"
    sent: Folder | None = None
    junk: Folder | None = None
    saves_sent: bool | None = None
    authserv_ids: tuple[str, ...] = ()
    look_back: PositiveDuration = timedelta(days=30)
    poll_every: PositiveDuration = timedelta(minutes=2)

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
    def mailbox(self) -> str:
        """Which mailbox it is."""
        return f"{self.user.lower()}@{self.imap.host}:{self.imap.port}"

    @property
    def loses_its_token(self) -> bool:
        """Whether what enters the mailbox is replaced again and again, and ends by itself."""
        told = self.tokens
        return told is not None and bool(told.refresh_token) and "microsoft" in told.token_url
