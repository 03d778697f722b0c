"""The mail server through which a shop writes, where its own platform mails nobody."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any, Self

from core.sandbox import mail

if TYPE_CHECKING:
    from core.sandbox.mail import Mail

PASSWORD = "a mail password"  # noqa: S105  # of a server that a test opens on loopback


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that left: to whom, about what, and its words."""

    recipients: tuple[str, ...]
    sender: str
    subject: str
    text: str


class Leaving:
    """Takes letters of *sender*, whose name is *name*, while it is entered."""

    mail: Mail

    def __init__(self, sender: str, name: str) -> None:
        self._sender, self._name = sender, name
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        opened = mail.opened({self._sender: PASSWORD})
        self.mail = await self._stack.enter_async_context(opened)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def options(self) -> dict[str, Any]:
        """The table ``mail`` of an account that writes through it."""
        return {
            "smtp": {"host": "127.0.0.1", "port": self.mail.smtp_port, "tls": "none"},
            "user": self._sender,
            "password": PASSWORD,
            "sender": self._sender,
            "name": self._name,
        }

    @property
    def letters(self) -> list[Letter]:
        """The letters handed in so far, the oldest first."""
        return [_letter(one.recipients, one.sender, one.raw) for one in self.mail.taken]


def _letter(recipients: tuple[str, ...], sender: str, raw: bytes) -> Letter:
    told = message_from_bytes(raw, policy=default)
    body = told.get_body(("plain",))
    text = body.get_content().replace("\r\n", "\n") if body else ""
    return Letter(recipients, sender, str(told["Subject"]), text)
