"""The mail servers in which hostile letters lie: the stand-in's (pymap), and a Dovecot.

Both change some bytes of what they are given, so another program reads back what lies there.
"""

from __future__ import annotations

import asyncio
import imaplib
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

from core.sandbox import mail
from tests.connectors.amazon.letters import ARRIVED, SUPPORT
from tests.core import dovecot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from core.sandbox.mail import Mail
    from tests.acceptance.mailmaker import Posted
    from tests.core.dovecot import Dovecot

SECRET = "p4ssw0rd"
LONGEST_HEAD = 50_000
"""Bytes of headers: the stand-in's server takes gigabytes for one of 400 kB."""

AT_STAND = {"INBOX": "INBOX", "Junk": "Junk", "Sent": "Sent"}
AT_DOVECOT = {"INBOX": "INBOX", "Junk": '"Spam-Ordner"', "Sent": "Gesendet"}


class Stand:
    """The stand-in's server; each mailbox lives in one of its own, which goes with it.

    *unheld* counts letters that it cannot hold, for it takes them apart as it stores them: a
    Dovecot holds them all.
    """

    def __init__(self) -> None:
        self.unheld = 0
        self._mail: Mail | None = None
        self._closing: Any = None

    async def moved_in(self) -> dict[str, Any]:
        await self.close()
        self._closing = mail.opened({SUPPORT: SECRET})
        self._mail = await self._closing.__aenter__()
        host = {"host": "127.0.0.1", "tls": "none"}
        return {
            "user": SUPPORT, "password": SECRET,
            "imap": {**host, "port": self._mail.imap_port},
            "smtp": {**host, "port": self._mail.smtp_port},
        }  # fmt: skip

    async def deliver(self, letters: Sequence[Posted]) -> list[Posted]:
        held = [one for one in letters if await self._holds(one)]
        self.unheld += len(letters) - len(held)
        return await asyncio.to_thread(self._read_back, held)

    async def _holds(self, one: Posted) -> bool:
        if len(one.raw.partition(b"\r\n\r\n")[0]) > LONGEST_HEAD:
            return False
        try:
            await self._mail.deliver(SUPPORT, one.raw, ARRIVED, one.folder)
        except Exception:  # noqa: BLE001  # its parser may fail in any way: it is not what is tried
            return False
        return True

    def _read_back(self, letters: Sequence[Posted]) -> list[Posted]:
        with imaplib.IMAP4("127.0.0.1", self._mail.imap_port) as owner:
            owner.login(SUPPORT, SECRET)
            return _kept(owner, AT_STAND, letters)

    async def close(self) -> None:
        if self._closing is not None:
            assert self._mail.taken == [], "nothing was sent"
            await self._closing.__aexit__(None, None, None)
            self._closing = None


@asynccontextmanager
async def stand() -> AsyncIterator[Stand]:
    office = Stand()
    try:
        yield office
    finally:
        await office.close()


class Real:
    """A Dovecot, whose folders have names of their own."""

    def __init__(self, server: Dovecot) -> None:
        self._server = server
        self._users = cycle(dovecot.USERS[:-1])  # the last one is asked whether the server is up
        self._user = ""

    async def moved_in(self) -> dict[str, Any]:
        self._user = next(self._users)
        await asyncio.to_thread(self._emptied)
        imap = {"host": "localhost", "port": self._server.tls}
        return {"user": self._user, "password": dovecot.PASSWORD, "imap": imap}

    def _emptied(self) -> None:
        with self._server.beside(self._user) as owner:
            for name in AT_DOVECOT.values():
                _, (found,) = owner.select(name)
                if found != b"0":
                    owner.store("1:*", "+FLAGS.SILENT", "\\Deleted")
                owner.close()

    async def deliver(self, letters: Sequence[Posted]) -> list[Posted]:
        return await asyncio.to_thread(self._appended, letters)

    def _appended(self, letters: Sequence[Posted]) -> list[Posted]:
        with self._server.beside(self._user) as owner:
            for one in letters:
                when = f'"{ARRIVED:%d-%b-%Y %H:%M:%S %z}"'
                said = owner.append(AT_DOVECOT[one.folder], None, when, one.raw)
                assert said[0] == "OK"
            return _kept(owner, AT_DOVECOT, letters)


def _kept(
    owner: imaplib.IMAP4, folders: Mapping[str, str], letters: Sequence[Posted]
) -> list[Posted]:
    """*letters*, the last of their folders, as the server gives them."""
    found: list[Posted] = []
    for folder, name in folders.items():
        mine = [one for one in letters if one.folder == folder]
        if not mine:
            continue
        _, (total,) = owner.select(name, readonly=True)
        _, parts = owner.fetch(f"{int(total) - len(mine) + 1}:*", "(BODY.PEEK[])")
        raws = [part[1] for part in parts if isinstance(part, tuple)]
        found += [replace(one, raw=raw) for one, raw in zip(mine, raws, strict=True)]
    with suppress(imaplib.IMAP4.error):
        owner.unselect()
    return found
