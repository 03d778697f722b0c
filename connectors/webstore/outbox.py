"""Letters out of a shop whose API mails nobody: its buyers are answered by SMTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import structlog
from pydantic import Field, model_validator

from core.errors import SettingsError, Unfit
from core.options import MailAddress, MailServer, MailTokens, Part, Secret
from core.transport import mends, outgoing
from core.transport.login import Login
from core.transport.oauth import Grant

if TYPE_CHECKING:
    from core.connector import Transport
    from core.transport.oauth import OAuth
    from core.transport.outgoing import Outgoing

SENDING = 58.0
"""Seconds for an answer and for what is written of it: less than core gives a reply."""

log = structlog.get_logger()


class Mail(Part):
    """The table ``mail``: from which address, and through which server, the shop answers.

    *sender* is the address at which the shop takes the buyers' answers; *name* stands before it.
    """

    smtp: MailServer
    user: str = Field(min_length=1, pattern=r"^[^\r\n\x00]+$")
    password: Secret | None = None
    tokens: MailTokens | None = None
    sender: MailAddress
    name: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _enters_one_way(self) -> Self:
        if (self.password is None) == (self.tokens is None):
            raise Unfit("needs either password or tokens to enter the mail server")
        return self


class Outbox:
    """Hands letters in for one account."""

    def __init__(self, mail: Mail, transport: Transport) -> None:
        if transport.smtp is None:
            raise SettingsError(["an account with a table mail sends letters; nothing here does"])
        self._smtp = transport.smtp
        self._by_tokens = mail.tokens is not None
        password = mail.password.get_secret_value() if mail.password else None
        server = mail.smtp
        self._login = Login(
            server.host, server.port, mail.user, password, _tokens(mail, transport), server.tls
        )

    async def check(self) -> None:
        """Log in, and send nothing.

        Raises:
            ConnectorError: why that does not work, with the key to look at.
        """
        with mends.telling("smtp", by_tokens=self._by_tokens, within="mail"):
            await self._smtp.check(self._login)

    async def send(self, letter: Outgoing) -> None:
        """Hand *letter* in, once.

        Raises:
            ConnectorError: as `core.connector.Replies` says.
        """
        raw = outgoing.composed(letter)
        with mends.telling("smtp", by_tokens=self._by_tokens, within="mail"):
            await self._smtp.send(self._login, letter.sender.address, letter.recipient.address, raw)


def _tokens(mail: Mail, transport: Transport) -> OAuth | None:
    told = mail.tokens
    if told is None:
        return None
    if transport.mailboxes is None:
        raise SettingsError(["an account that enters by tokens needs them kept; nothing here does"])
    grant = Grant(
        told.token_url,
        told.client_id,
        told.client_secret.get_secret_value() if told.client_secret else None,
        told.refresh_token.get_secret_value() if told.refresh_token else None,
        told.scope,
    )
    return transport.mailboxes.tokens(transport.http, grant, _replaced)


def _replaced(_: str) -> None:
    """Say that the provider gave another refresh token, which is known only until we end."""
    log.warning("refresh token replaced", mend="replace mail.tokens.refresh_token in the settings")
