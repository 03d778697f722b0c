"""A mail server on loopback for the stand-ins of marketplaces that speak by mail.

IMAP and SMTP are real servers (pymap, aiosmtpd) over one set of mailboxes. What is sent goes
to the stand-in, which says what becomes of it; what arrives is put into a folder with its date.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from core.errors import SettingsError
from core.sandbox.mail_faults import MailFaults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from datetime import datetime

    from core.sandbox.mail_imap import Imap
    from core.sandbox.mail_smtp import Smtp

__all__ = ["Mail", "MailFaults", "Receive", "Stored", "Taken", "opened"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A letter as it was handed in: by which *user*, in which envelope."""

    user: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)


Receive = Callable[[Taken], Awaitable[str | None]]
"""What becomes of a letter; returns None to take it, or the SMTP reply that refuses it."""


class Stored(NamedTuple):
    """A letter as it lies in a folder; the names of *flags* as IMAP writes them."""

    uid: int
    arrived_at: datetime
    flags: frozenset[str]


class Mail:
    """The running server. *taken* are the letters handed in so far, whatever became of them."""

    def __init__(self, users: Mapping[str, str], receive: Receive | None) -> None:
        imap, smtp = _servers()
        self.faults = MailFaults()
        self.taken: list[Taken] = []
        self._users = dict(users)
        self._receive = receive
        self._imap = imap(self.faults)
        self._smtp = smtp(self._users, self._imap.access_tokens, self._take, self.faults)

    @property
    def imap_port(self) -> int:
        """Where letters are read."""
        return self._imap.port

    @property
    def smtp_port(self) -> int:
        """Where letters are handed in."""
        return self._smtp.port

    @property
    def access_tokens(self) -> set[str]:
        """Those that XOAUTH2 takes, for every user."""
        return self._imap.access_tokens

    async def add_user(self, user: str, password: str) -> None:
        """Give somebody a mailbox while the server runs."""
        self._users[user] = password
        await self._imap.add(user, password)

    async def deliver(
        self,
        user: str,
        raw: bytes,
        at: datetime,
        folder: str = "INBOX",
        flags: Iterable[str] = (),
    ) -> int:
        """Put a letter that arrived *at* into a *folder* of *user*; its UID."""
        return await self._imap.put(user, folder, raw, at, flags)

    async def expunge(self, user: str, folder: str, uid: int) -> None:
        """Remove a letter, as its owner does elsewhere."""
        await (await self._imap.folders(user).get_mailbox(folder)).delete([uid])

    async def add_folder(self, user: str, name: str) -> None:
        """Make a folder."""
        await self._imap.folders(user).add_mailbox(name)

    async def renumber(self, user: str, folder: str) -> None:
        """Give *folder* another UIDVALIDITY and its letters new UIDs."""
        await self._imap.folders(user).renumber(folder)

    async def letters(self, user: str, folder: str = "INBOX") -> list[Stored]:
        """What lies in *folder*."""
        return [Stored(*each) async for each in self._imap.letters(user, folder)]

    async def _take(self, taken: Taken) -> str | None:
        self.taken.append(taken)
        return await self._receive(taken) if self._receive is not None else None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen for both."""
        for user, password in self._users.items():
            await self._imap.add(user, password)
        async with self._imap.serving(), self._smtp.serving():
            yield


def _servers() -> tuple[type[Imap], type[Smtp]]:
    """What only a stand-in needs: an image never holds it.

    Raises:
        SettingsError: it is not installed.
    """
    try:
        from core.sandbox import mail_imap, mail_smtp  # noqa: PLC0415  # an extra
    except ImportError:
        told = ["a sandbox account that speaks by mail needs servers: install replyby[sandbox]"]
        raise SettingsError(told) from None
    return mail_imap.Imap, mail_smtp.Smtp


@asynccontextmanager
async def opened(users: Mapping[str, str], receive: Receive | None = None) -> AsyncIterator[Mail]:
    """A mail server for these *users* (passwords by name) until left.

    *receive* says what becomes of a letter that one of them sends; left out, it is only taken.

    Raises:
        SettingsError: the servers are not installed.
    """
    mail = Mail(users, receive)
    async with mail.serving():
        yield mail
