"""How a mail server is entered: where, how protected, as whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, Protocol

Tls = Literal["tls", "starttls", "none"]


class Tokens(Protocol):
    """Where access tokens come from; see `core.transport.oauth`."""

    async def token(self) -> str:
        """A token that is good for a while yet; raises `ConnectorError` where there is none."""
        ...

    def forget(self) -> None:
        """The last token was refused: the next one is to be a new one."""
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """One mail server and one user, by a *password* or by *tokens* (SASL XOAUTH2).

    *tls*: from the first byte (``tls``), by STARTTLS before anything is said (``starttls``), or
    not at all (``none``), which is for loopback alone.

    Raises:
        ValueError: the parts do not fit; the text holds no secret.
    """

    host: str
    port: int
    user: str
    password: str | None = field(default=None, repr=False)
    tokens: Tokens | None = field(default=None, repr=False)
    tls: Tls = "tls"

    def __post_init__(self) -> None:
        if (self.password is None) == (self.tokens is None):
            raise ValueError("a login has either a password or a source of tokens")
        if self.tls == "none" and not is_loopback(self.host):
            raise ValueError("without TLS a password would travel in clear: tls or starttls")
        if any(sign in f"{self.user}{self.password or ''}" for sign in "\r\n\0"):
            raise ValueError("user and password are one line each")


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine, as it is written: no name is looked up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
