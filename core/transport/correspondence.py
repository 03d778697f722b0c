"""One account's letters: read from its folders page by page, sent once, and kept.

What every connector that speaks by mail does alike. What the letters mean is the connector's: it is
handed each portion of them, and answers with a page and with what is to be remembered.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Generic, Protocol

import structlog

from core.errors import OutcomeUnknown
from core.transport import mends, outgoing, portions
from core.transport.login import Login, Tls
from core.transport.oauth import Grant
from core.transport.portions import MemoryT, Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from pydantic import SecretStr

    from core.model import Page
    from core.transport.http import Http
    from core.transport.imap_folders import Role
    from core.transport.mailbox import Letter, Letters, Mailboxes
    from core.transport.oauth import OAuth
    from core.transport.outgoing import Outgoing
    from core.transport.smtp import Smtp

    Understood = Callable[
        [Sequence[Letter], Mapping[str, Role], MemoryT], Awaitable[tuple[Page, MemoryT]]
    ]

ALTOGETHER = 55.0
"""Seconds for an answer and for keeping its copy: less than core gives a reply."""

FEWER = 4
"""After a page that was cut off the next one has so many times fewer letters, until one succeeds:
those that take long to read must not hold up the rest for ever."""

log = structlog.get_logger()


class Server(Protocol):
    """As `core.options.MailServer`."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def tls(self) -> Tls: ...


class TokensGiven(Protocol):
    """As `core.options.MailTokens`."""

    @property
    def token_url(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> SecretStr | None: ...
    @property
    def refresh_token(self) -> SecretStr | None: ...
    @property
    def scope(self) -> str | None: ...


class Account(Protocol):
    """How letters are reached: as `core.options.MailAccount`."""

    @property
    def user(self) -> str: ...
    @property
    def password(self) -> SecretStr | None: ...
    @property
    def tokens(self) -> TokensGiven | None: ...
    @property
    def imap(self) -> Server: ...
    @property
    def smtp(self) -> Server: ...
    @property
    def inbox(self) -> str: ...
    @property
    def sent(self) -> str | None: ...
    @property
    def junk(self) -> str | None: ...
    @property
    def saves_sent(self) -> bool | None: ...
    @property
    def look_back(self) -> timedelta: ...


class Correspondence(Generic[MemoryT]):
    """The letters of one account; between two walks all that is known stands in the cursor.

    *remembered* reads the connector's memory back, and makes one from None.
    """

    def __init__(
        self,
        account: Account,
        mailboxes: Mailboxes,
        smtp: Smtp,
        http: Http,
        remembered: Callable[[str | None], MemoryT],
    ) -> None:
        grant = _grant(account.tokens)
        tokens = mailboxes.tokens(http, grant, _replaced) if grant else None
        self._account = account
        self._mailbox = mailboxes.open(_login(account, account.imap, tokens))
        self._smtp = smtp
        self._outbox = _login(account, account.smtp, tokens)
        self._remembered = remembered
        self._most = portions.MOST

    async def check(self) -> None:
        """Log in where letters are read and where they are sent; send none."""
        with self._telling("imap"):
            await self._mailbox.check()
        for key in ("inbox", "sent", "junk"):
            if folder := getattr(self._account, key):
                with self._telling(key):
                    await self._mailbox.check(folder)
        with self._telling("smtp"):
            await self._smtp.check(self._outbox)

    async def page(
        self,
        cursor: str | None,
        position: str | None,
        now: datetime,
        understood: Understood[MemoryT],
    ) -> Page:
        """What comes of the next letters of all folders, as *understood* says.

        *understood* is handed letters in the order of their arrival, what each folder is for, and
        the memory so far.
        """
        place = Place.read(position or cursor, self._remembered)
        if position is None:
            place = place.begun(now - self._account.look_back)
        most, self._most = self._most, max(1, self._most // FEWER)
        folders = await self._folders()
        got = await portions.portion(self._read, list(folders), place, now, most)
        page, memory = await understood(got.letters, folders, place.memory)
        after = replace(got.place, memory=memory)
        written = (after if got.more else after.ended()).write()
        self._most = min(portions.MOST, 2 * most)
        return replace(page, cursor=written, position=written if got.more else None, more=got.more)

    async def wait(self, stop: asyncio.Event) -> bool:
        """Listen to the inbox (IMAP IDLE)."""
        with self._telling("imap"):
            return await self._mailbox.wait(stop, self._account.inbox)

    async def send(self, letter: Outgoing, now: datetime) -> None:
        """Send *letter* once, and keep a copy where the provider keeps none.

        Raises:
            ConnectorError: as `core.connector.Replies` says; an unknown outcome names the letter.
        """
        began = monotonic()
        raw = outgoing.composed(letter)
        try:
            with self._telling("smtp"):
                await self._smtp.send(
                    self._outbox, letter.sender.address, letter.recipient.address, raw
                )
        except OutcomeUnknown as fault:
            fault.message_id = letter.message_id
            raise
        await self._keep(raw, now, ALTOGETHER - (monotonic() - began))

    async def _keep(self, raw: bytes, at: datetime, seconds: float) -> None:
        """Keep a copy of what was sent where the provider does not; no harm where that fails."""
        keeps, folder = self._account.saves_sent, self._account.sent
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._mailbox.append_to_sent(raw, at, folder, keeps=keeps)

    async def _folders(self) -> dict[str, Role]:
        """The folders to read, the inbox first, and what each is for.

        Where no folder for sent letters is named, all that are called so: mail programs have one of
        their own each.
        """
        account = self._account
        junk, sent = account.junk, account.sent
        beside: tuple[str, ...] = ()
        if junk is None or sent is None:
            with self._telling("imap"):
                found = await self._mailbox.folders()
                beside = () if sent else await self._mailbox.named("sent")
            junk, sent = junk or found.get("junk"), sent or found.get("sent")
        named: dict[str | None, Role] = {account.inbox: "inbox", junk: "junk", sent: "sent"}
        return {name: role for name, role in named.items() if name} | {
            name: "sent" for name in beside if name not in named
        }

    async def _read(
        self, folder: str, position: str | None, since: datetime, limit: int
    ) -> Letters:
        account = self._account
        named = {account.sent: "sent", account.junk: "junk", account.inbox: "inbox"}
        with self._telling(named.get(folder, "imap")):
            return await self._mailbox.read(folder, position, since, limit)

    def _telling(self, key: str) -> AbstractContextManager[None]:
        return mends.telling(key, by_tokens=self._account.tokens is not None)


def _login(account: Account, server: Server, tokens: OAuth | None) -> Login:
    password = account.password.get_secret_value() if account.password else None
    return Login(server.host, server.port, account.user, password, tokens, server.tls)


def _grant(told: TokensGiven | None) -> Grant | None:
    """By what tokens are asked for, for reading and sending alike; None: there is a password."""
    if told is None:
        return None
    return Grant(
        told.token_url,
        told.client_id,
        told.client_secret.get_secret_value() if told.client_secret else None,
        told.refresh_token.get_secret_value() if told.refresh_token else None,
        told.scope,
    )


def _replaced(_: str) -> None:
    """Say that the provider gave another refresh token, which is known only until we end."""
    log.warning("refresh token replaced", mend="see tokens.refresh_token in the connector's README")
