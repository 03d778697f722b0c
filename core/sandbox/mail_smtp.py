"""The SMTP side of a stand-in's mail server: aiosmtpd, with faults to order."""

from __future__ import annotations

import asyncio
import logging
import warnings
from base64 import b64decode
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from core.sandbox.mail import Taken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.sandbox.mail import Receive
    from core.sandbox.mail_faults import MailFaults


class Smtp:
    """The server: users by password, or by one of *access_tokens*; what it takes goes on."""

    def __init__(
        self,
        users: Mapping[str, str],
        access_tokens: set[str],
        receive: Receive,
        faults: MailFaults,
    ) -> None:
        self._users = users
        self._tokens = access_tokens
        self._receive = receive
        self._faults = faults
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on a free port of loopback."""
        talks: list[SMTP] = []
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # it logs who writes to whom

        def talk() -> SMTP:
            talks.append(self._talk())
            return talks[-1]

        server = await asyncio.get_running_loop().create_server(talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for each in talks:
                _cut(each)
            await asyncio.sleep(0)

    def _talk(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a login without TLS is meant: this is loopback
            return SMTP(
                self,
                hostname="localhost",
                ident="stand-in",
                enable_SMTPUTF8=True,
                auth_required=True,
                auth_require_tls=False,
                authenticator=self._authenticated,
                loop=asyncio.get_running_loop(),
            )

    def _authenticated(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        del server, session, envelope, mechanism
        if not isinstance(given, LoginPassword) or self._faults.strikes("smtp_refuse_login"):
            return AuthResult(success=False, handled=False)
        user, password = given.login.decode(), given.password.decode()
        return AuthResult(success=self._users.get(user) == password, handled=False, auth_data=user)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802  # aiosmtpd's name
        """Take a token; called by aiosmtpd."""
        said = await server.challenge_auth("") if len(args) == 1 else b64decode(args[1])
        if said is MISSING or self._faults.strikes("smtp_refuse_login"):
            return AuthResult(success=False, handled=False)
        user, _, rest = bytes(said).removeprefix(b"user=").partition(b"\1auth=Bearer ")
        token = rest.rstrip(b"\1").decode()
        known = user.decode() in self._users and token in self._tokens
        return AuthResult(success=known, handled=False, auth_data=user.decode())

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender; called by aiosmtpd."""
        del server, session
        if self._faults.strikes("smtp_refuse_sender"):
            return "550 5.7.1 sender address is not approved"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient; called by aiosmtpd."""
        del server, session, options
        if self._faults.strikes("smtp_refuse_recipient"):
            return "550 5.1.1 no such person"
        if self._faults.strikes("smtp_limit"):
            return "451 4.7.28 too many letters, try again later"
        if self._faults.strikes("smtp_later"):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Take the letter; called by aiosmtpd."""
        if self._faults.strikes("smtp_refuse_data"):
            return "554 5.6.0 not like this"
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        recipients = tuple(envelope.rcpt_tos)
        taken = Taken(str(session.auth_data), envelope.mail_from or "", recipients, raw)
        refusal = await self._receive(taken)
        if self._faults.strikes("smtp_drop_after_data"):
            _cut(server)
        await asyncio.sleep(self._faults.delay("smtp_slow") or 0)
        return refusal or "250 OK"


def _cut(talk: SMTP) -> None:
    if isinstance(talk.transport, asyncio.Transport):
        talk.transport.abort()
