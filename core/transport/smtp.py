"""Sending one letter, once: it is accepted, certainly not sent, or nobody knows.

What the server says besides its status is not passed on: it repeats addresses.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from socket import gaierror, gethostname
from typing import TYPE_CHECKING, Literal

import aiosmtplib
from aiosmtplib import SMTP

from core.errors import (
    BadCredentials,
    BadPayload,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from core.transport import outgoing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.transport.login import Login

__all__ = ["Limits", "Smtp"]

Stage = Literal["connect", "login", "envelope", "letter"]

# RFC 4954 and 5321: who we are is the trouble.
WHO_WE_ARE = {530, 534, 535, 538}
# What servers say where the sender, not the recipient, is refused; often as late as RCPT.
SENDER = re.compile(
    r"\b(sender|from)\b.{0,80}\b(reject|denied|not (owned|allowed|authori[sz]ed|approved))"
    r"|sendas|not authori[sz]ed to (send|relay)|5\.7\.60|relay(ing)? (access )?denied",
    re.IGNORECASE | re.DOTALL,
)
LIMITED = re.compile(
    r"too many|too much|rate|limit|throttl|quota|4\.7\.28|4\.5\.3|4\.3\.2", re.IGNORECASE
)
ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
LONGEST_LINE = 998


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: to connect, for one command, for all that comes before the letter, for the letter.

    Together less than what a reply may take: cut off by others, its outcome would be unknown.
    """

    connect: float = 10.0
    command: float = 15.0
    before: float = 25.0
    letter: float = 30.0


class Smtp:
    """Hands letters in; a connection a letter."""

    def __init__(self, limits: Limits | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.limits = limits or Limits()
        self._given = tls

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Checks certificates against the system's, or those that ``SSL_CERT_FILE`` names."""
        return self._given or ssl.create_default_context()

    async def send(self, login: Login, sender: str, recipient: str, raw: bytes) -> None:
        """Hand *raw* in for *recipient*, once; it was accepted when this returns.

        Accepted by this server, that is: whether the letter reaches anybody is told by letters.

        Raises:
            BadCredentials: the login, or *sender*, is not allowed; it was not sent.
            Refused: the recipient or the letter is; it was not sent.
            RateLimited, Unreachable: not sent; again later.
            OutcomeUnknown: it may have been sent.
        """
        where = f"mail server at {login.host}"
        utf8 = not (outgoing.checked(sender) + outgoing.checked(recipient)).isascii()
        _check_lines(raw)
        client = self._client(login)
        try:
            with _unsent(where, "connect"):
                async with asyncio.timeout(self.limits.before):
                    await self._connect(client, login, where)
                    wide = not raw.isascii()
                    await _announce(client, where, (sender, recipient), utf8=utf8, wide=wide)
            await self._hand_in(client, where, raw)
        finally:
            client.close()

    async def check(self, login: Login) -> None:
        """Connect and log in; raises as `send` does."""
        client = self._client(login)
        try:
            await self._connect(client, login, f"mail server at {login.host}")
        finally:
            client.close()

    def _client(self, login: Login) -> SMTP:
        return SMTP(
            hostname=login.host,
            port=login.port,
            timeout=self.limits.command,
            use_tls=login.tls == "tls",
            start_tls=login.tls == "starttls",
            tls_context=None if login.tls == "none" else self.tls,
            local_hostname=gethostname(),
        )

    async def _connect(self, client: SMTP, login: Login, where: str) -> None:
        """Open the connection; a token that is refused before its time is asked for once more."""
        token = await _token(login)
        try:
            await self._enter(client, login, where, token)
        except BadCredentials:
            again = await _token(login)
            if again == token:
                raise
            client.close()
            await self._enter(client, login, where, again)

    async def _enter(self, client: SMTP, login: Login, where: str, token: str | None) -> None:
        with _unsent(where, "connect"):
            await client.connect(timeout=self.limits.connect)
        with _unsent(where, "login"):
            await _log_in(client, login, token)

    async def _hand_in(self, client: SMTP, where: str, raw: bytes) -> None:
        """The letter itself; from its begin on, no answer means that nobody knows."""
        try:
            await client.data(raw, timeout=self.limits.letter)
        except aiosmtplib.SMTPDataError as fault:
            if not 200 <= fault.code < 300:
                raise refusal(fault.code, fault.message, where) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            said = f"{where}: the letter left and no answer came"
            raise OutcomeUnknown(said, detail=_word(fault)) from None


@contextmanager
def _unsent(where: str, stage: Stage) -> Iterator[None]:
    """What goes wrong in here is told as an error that says: not sent."""
    try:
        yield
    except aiosmtplib.SMTPRecipientRefused as fault:
        raise refusal(fault.code, fault.message, where) from None
    except aiosmtplib.SMTPResponseException as fault:
        raise refusal(fault.code, fault.message, where, stage) from None
    except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
        word = _word(fault)
        if stage == "login" and word == "server":
            said = f"{where}: it offers no login that we know"
            raise BadCredentials(said, detail="login") from None
        raise Unreachable(f"{where}: no connection ({word})", detail=word) from None


async def _token(login: Login) -> str | None:
    """A token, where tokens open the server.

    Raises:
        Unreachable: what came is none; nothing was sent.
    """
    try:
        return await login.tokens.token() if login.tokens is not None else None
    except BadPayload as fault:
        raise Unreachable(str(fault), detail=fault.detail) from None


async def _log_in(client: SMTP, login: Login, token: str | None) -> None:
    if token is None:
        await client.login(login.user, login.password or "")
        return
    try:
        await client.auth_xoauth2(login.user, token)
    except aiosmtplib.SMTPAuthenticationError:
        if login.tokens is not None:
            login.tokens.forget()
        raise


async def _announce(
    client: SMTP, where: str, envelope: tuple[str, str], *, utf8: bool, wide: bool
) -> None:
    """Say from whom and for whom; what the letter needs of the server is asked for here."""
    with _unsent(where, "envelope"):
        await client.ehlo()
        options = []
        for needed, extension, option in (
            (utf8, "smtputf8", "SMTPUTF8"),
            (wide, "8bitmime", "BODY=8BITMIME"),
        ):
            if needed and not client.supports_extension(extension):
                said = f"{where}: it does not take such letters ({extension})"
                raise Refused(said, detail=extension)
            options += [option] if needed else []
        encoding = "utf-8" if utf8 else "ascii"
        await client.mail(envelope[0], options=options, encoding=encoding)
        await client.rcpt(envelope[1], encoding=encoding)


def refusal(code: int, said: str, where: str, stage: Stage = "letter") -> ConnectorError:
    """What the server's refusal means to us. Pure.

    At ``envelope`` the sender is what was refused; at ``letter`` the recipient or the letter.
    """
    told = f"{where}: {_status(code, said)}"
    if code < 400 or code >= 600:
        return _strange(code, told, where, stage)
    if code < 500:
        if LIMITED.search(said):
            return RateLimited(told)
        return Unreachable(told, detail=str(code))
    if stage == "connect":
        return RateLimited(told) if LIMITED.search(said) else Unreachable(told, detail=str(code))
    is_sender = stage == "envelope" and (code in {550, 553, 554} or "5.7." in said)
    if stage == "login" or code in WHO_WE_ARE or is_sender or SENDER.search(said):
        return BadCredentials(told, detail=str(code))
    return Refused(told, detail=str(code))


def _strange(code: int, told: str, where: str, stage: Stage) -> ConnectorError:
    """What no server says there: before the letter something else speaks, and nothing has left."""
    if stage == "letter":
        return OutcomeUnknown(told, detail=str(code))
    return Unreachable(f"{where}: it does not speak as a mail server does", detail="server")


def _status(code: int, said: str) -> str:
    enhanced = ENHANCED.search(said)
    return f"it answered {code}{f' {enhanced[0]}' if enhanced else ''}"


def _check_lines(raw: bytes) -> None:
    """Refuse what no server may be given (RFC 5321, 4.5.3.1.6)."""
    if max(map(len, raw.splitlines()), default=0) > LONGEST_LINE:
        raise Refused("a line of the letter is too long", detail="line_too_long")


def _word(fault: BaseException) -> str:
    """What went wrong below SMTP, in a closed word."""
    chain: list[BaseException] = [fault]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    if any(isinstance(each, gaierror) for each in chain):
        return "dns"
    if any(isinstance(each, ssl.SSLError | ssl.CertificateError) for each in chain):
        return "tls"
    if any(isinstance(each, TimeoutError) for each in chain):
        return "timeout"
    if any(isinstance(each, OSError) for each in chain):
        return "network"
    return "tls" if "TLS" in str(fault) else "server"
