"""A mail server on loopback for the stand-ins of marketplaces that speak by mail.

IMAP and SMTP are real servers (pymap, aiosmtpd) over one set of mailboxes. What is sent goes
to the stand-in, which says what becomes of it; what arrives is put into a folder with its date.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag

from core.sandbox.mail_faults import MailFaults
from core.sandbox.mail_imap import Imap
from core.sandbox.mail_smtp import Receive, Smtp, Taken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from datetime import datetime

__all__ = ["Mail", "MailFaults", "Receive", "Stored", "Taken", "opened"]


class Stored(NamedTuple):
    """A letter as it lies in a folder."""

    uid: int
    arrived_at: datetime
    flags: frozenset[str]


class Mail:
    """The running server. *taken* are the letters handed in so far, whatever became of them."""

    def __init__(self, users: Mapping[str, str], receive: Receive | None) -> None:
        self.faults = MailFaults()
        self.taken: list[Taken] = []
        self._users = users
        self._receive = receive
        self._imap = Imap(self.faults)
        self._smtp = Smtp(users, self._imap.access_tokens, self._take, self.faults)

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

    async def deliver(
        self,
        user: str,
        raw: bytes,
        at: datetime,
        folder: str = "INBOX",
        flags: Iterable[str] = (),
    ) -> int:
        """Put a letter that arrived *at* into a *folder* of *user*; its UID."""
        marks = frozenset(Flag(flag.encode()) for flag in flags)
        kept = await self._imap.folders(user).get_mailbox(folder)
        return (await kept.append(AppendMessage(raw, at, marks), recent=True)).uid

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
        kept = await self._imap.folders(user).get_mailbox(folder)
        return [
            Stored(each.uid, each.internal_date, frozenset(map(str, each.permanent_flags)))
            async for each in kept.messages()
        ]

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


@asynccontextmanager
async def opened(users: Mapping[str, str], receive: Receive | None = None) -> AsyncIterator[Mail]:
    """A mail server for these *users* (passwords by name) until left.

    *receive* says what becomes of a letter that one of them sends; left out, it is only taken.
    """
    mail = Mail(users, receive)
    async with mail.serving():
        yield mail
