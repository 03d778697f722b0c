"""Mailboxes, read by IMAP: letters since a position, and a wait for the next one.

A mailbox has one connection to read, and one to wait where somebody waits; each has a thread of
its own. Nothing in the mailbox is changed: no letter becomes read, no flag is set.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from contextlib import asynccontextmanager, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, get_args
from weakref import WeakSet

import structlog

from core.errors import BadCredentials, ConnectorError, SettingsError
from core.transport import imap_folders
from core.transport.imap_folders import Role
from core.transport.imap_reading import Letter, Letters, Limits, Reading
from core.transport.imap_thread import Line
from core.transport.login import Login, Tokens
from core.transport.oauth import OAuth

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime

    from core.transport.http import Http
    from core.transport.imap_client import Examined, Listed
    from core.transport.oauth import Grant

__all__ = ["Letter", "Letters", "Limits", "Login", "Mailbox", "Mailboxes", "Role", "Tokens"]

log = structlog.get_logger()

Purpose = Literal["reading", "waiting"]

INBOX = "INBOX"
UNHEARD = (0, 0)
"""What no folder is like: UIDs begin with 1."""


class Mailboxes:
    """Opens mailboxes, and closes what they left open; made once for the whole program."""

    def __init__(self, limits: Limits | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.limits = limits or Limits()
        self._given = tls
        self._open: WeakSet[Mailbox] = WeakSet()
        self._tokens: dict[Grant, OAuth] = {}

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Checks certificates against the system's, or those that ``SSL_CERT_FILE`` names."""
        return self._given or ssl.create_default_context()

    def open(self, login: Login) -> Mailbox:
        """The mailbox of *login*; connects when it is asked for something.

        Raises:
            SettingsError: what reads mailboxes is not installed.
        """
        try:
            import imapclient  # type: ignore[import-untyped]  # noqa: F401, PLC0415  # an extra: only who has a mailbox needs it, or pays its memory
        except ImportError:
            told = ["reading a mailbox needs IMAPClient: install replyby[mail]"]
            raise SettingsError(told) from None
        mailbox = Mailbox(login, self)
        self._open.add(mailbox)
        return mailbox

    def tokens(self, http: Http, grant: Grant, rotated: Callable[[str], None]) -> OAuth:
        """Where tokens by *grant* come from: always the same.

        A refresh token that was replaced is so still known when the settings are read anew.
        """
        return self._tokens.setdefault(grant, OAuth(http, grant, rotated))

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(mailbox.close() for mailbox in list(self._open)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.close()


class _Opened(NamedTuple):
    """The folder that a connection has open, and where the next page of it begins."""

    line: Line
    folder: str
    position: str
    seen: Examined


class Mailbox:
    """One user's mailbox at one server. Reads in turn; whoever waits has a connection beside."""

    def __init__(self, login: Login, means: Mailboxes) -> None:
        self._login = login
        self._means = means
        self._turn = asyncio.Lock()
        self._spare: dict[Purpose, tuple[Line, asyncio.TimerHandle]] = {}
        self._doubts: Counter[tuple[str, int, int]] = Counter()
        self._listed: Sequence[Listed] = ()
        self._heard: dict[str, tuple[int, int]] = {}
        self._opened_folder: _Opened | None = None

    async def check(self, folder: str = INBOX) -> None:
        """Log in and look into *folder*.

        Raises:
            BadCredentials, Unreachable, RateLimited, BadPayload: why that does not work.
        """
        async with self._turn, self._line("reading") as line:
            self._opened_folder = None
            await self._examined(line, folder)

    async def folders(self) -> Mapping[Role, str]:
        """The names of the folders to read, by what they are for; those there are.

        Asked anew while one is missing: some servers make a folder with its first letter.
        """
        found = imap_folders.roles(self._listed)
        if len(found) < len(get_args(Role)):
            async with self._turn, self._line("reading") as line:
                self._listed = await line.run(line.client.folders, self._means.limits.command)
            return imap_folders.roles(self._listed)
        return found

    async def named(self, role: Role) -> tuple[str, ...]:
        """All folders that are called as those for *role* are, in any language."""
        await self.folders()
        return imap_folders.named(self._listed, role)

    async def read(self, folder: str, position: str | None, since: datetime, limit: int) -> Letters:
        """The next page of *folder*, *limit* letters at most, by ascending UID.

        *position* is the last page's, or the one kept from the walk before; with None, and where
        the folder was numbered anew, what arrived *since* then comes (again).

        Raises:
            BadCredentials, Unreachable, RateLimited, BadPayload: nothing of this page is known.
        """
        async with self._turn, self._line("reading") as line:
            seen = self._seen(line, folder, position)
            reading = Reading(line, folder, self._means.limits, self._doubts, seen)
            try:
                page = await reading.page(position, since, limit)
            except ConnectorError:
                self._listed = ()  # a folder may be gone or renamed
                raise
            if reading.seen is not None and page.more:
                self._opened_folder = _Opened(line, folder, page.position, reading.seen)
        if reading.seen is not None and not page.more:
            self._note(folder, reading.seen)
        return page

    def _seen(self, line: Line, folder: str, position: str | None) -> Examined | None:
        """What *line* said of *folder*, where it was opened for the page before this one.

        To open a folder of 100,000 letters anew for each page takes a server longer than the page.
        """
        opened, self._opened_folder = self._opened_folder, None
        if opened is None or opened.line is not line:
            return None
        return opened.seen if (opened.folder, opened.position) == (folder, position) else None

    async def wait(self, stop: asyncio.Event, folder: str = INBOX) -> bool:
        """Wait until *folder* has something new (True), or *stop* is set (False).

        New is what came since *folder* was read to its end, or since the last call; after one that
        raised, whatever is there. A server that does not tell by itself (no IDLE) is not asked:
        this waits for *stop*.

        Raises:
            BadCredentials, Unreachable, RateLimited, BadPayload: nobody listens any more.
        """
        hearing = asyncio.ensure_future(self._hear(folder))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({hearing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return hearing.result() if hearing.done() else False
        except ConnectorError:
            self._heard[folder] = UNHEARD
            raise
        finally:
            hearing.cancel()
            stopping.cancel()
            await asyncio.gather(hearing, stopping, return_exceptions=True)

    async def append_to_sent(
        self, raw: bytes, at: datetime, folder: str | None = None, *, keeps: bool | None = None
    ) -> bool:
        """Keep what was sent in the folder for it; whether it is there now by our doing.

        A courtesy, which neither fails nor takes long: the letter has left. *folder* is found
        where it is None. *keeps* says whether the provider keeps by itself what goes out through
        it; None: Gmail and Microsoft 365 do.
        """
        if _keeps_what_it_sends(self._login.host) if keeps is None else keeps:
            return False
        try:
            async with asyncio.timeout(self._means.limits.courtesy):
                return await self._append(raw, at, folder)
        except (ConnectorError, TimeoutError) as fault:
            log.warning("sent letter not kept", host=self._login.host, why=type(fault).__name__)
            return False

    async def _append(self, raw: bytes, at: datetime, folder: str | None) -> bool:
        folder = folder or (await self.folders()).get("sent")
        if folder is None:
            return False
        async with self._turn, self._line("reading") as line:
            append = partial(line.client.append, folder, raw, at)
            await line.run(append, self._means.limits.command)
        return True

    async def close(self) -> None:
        """Close the connections that nobody uses now; whoever uses one closes it when cancelled."""
        spare, self._spare = self._spare, {}
        for _, timer in spare.values():
            timer.cancel()
        await asyncio.gather(*(line.close() for line, _ in spare.values()))

    async def _hear(self, folder: str) -> bool:
        """Listen until *folder* has more than was heard of before."""
        async with self._line("waiting") as line:
            if line.client.can_idle:
                await self._listen(line, folder)
                return True
        log.warning("mailbox does not tell of new mail", host=self._login.host)
        await asyncio.Event().wait()
        return False

    async def _listen(self, line: Line, folder: str) -> None:
        """Listen in slices: a server may end a longer one, and silence is noticed at its end."""
        limits = self._means.limits
        while not self._is_news(folder, await self._examined(line, folder)):
            await line.run(partial(line.client.idle, limits.slice), limits.slice + 30)
            await line.run(line.client.done, limits.answer)

    def _is_news(self, folder: str, seen: Examined) -> bool:
        before = self._heard.get(folder)
        self._note(folder, seen)
        return before is not None and before != self._heard[folder]

    def _note(self, folder: str, seen: Examined) -> None:
        self._heard[folder] = (seen.uidvalidity, seen.uidnext)

    async def _examined(self, line: Line, folder: str) -> Examined:
        return await line.run(partial(line.client.examine, folder), self._means.limits.command)

    @asynccontextmanager
    async def _line(self, purpose: Purpose) -> AsyncIterator[Line]:
        """A connection for one use; kept for the next unless the use failed."""
        line = await self._living(purpose) or await self._opened()
        try:
            yield line
        except BaseException:
            await line.cut()
            raise
        self._keep(purpose, line)

    async def _living(self, purpose: Purpose) -> Line | None:
        """The connection that was kept, if the server still answers."""
        if purpose not in self._spare:
            return None
        line, timer = self._spare.pop(purpose)
        timer.cancel()
        try:
            await line.run(line.client.noop, self._means.limits.connect)
        except ConnectorError:
            await line.cut()
            return None
        return line

    def _keep(self, purpose: Purpose, line: Line) -> None:
        if purpose in self._spare:
            line.leave()
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._means.limits.kept, self._let_go, purpose)
        self._spare[purpose] = (line, timer)

    def _let_go(self, purpose: Purpose) -> None:
        line, _ = self._spare.pop(purpose)
        line.leave()

    async def _opened(self) -> Line:
        """A new connection, logged in; a token that was refused is replaced once."""
        tokens = self._login.tokens
        if tokens is None:
            return await self._connected(None)
        given = await tokens.token()
        try:
            return await self._connected(given)
        except BadCredentials:
            tokens.forget()
            another = await tokens.token()
            if another == given:
                raise
            return await self._connected(another)

    async def _connected(self, token: str | None) -> Line:
        from core.transport import imap_client  # noqa: PLC0415  # an extra, see `Mailboxes.open`

        means = self._means
        line = Line(f"mailbox at {self._login.host}")
        way = imap_client.Way(means.tls, means.limits.connect, means.limits.answer, line.plug)

        def connect() -> None:
            line.client = imap_client.Client.connected(self._login, token, way)

        try:
            await line.run(connect, means.limits.opening)
        except BaseException:
            with suppress(ConnectorError):
                await line.cut()
            raise
        return line


def _keeps_what_it_sends(host: str) -> bool:
    """Whether mail sent through this provider is in its Sent folder without our doing."""
    owners = ("gmail.com", "googlemail.com", "office365.com", "outlook.com")
    return any(host.lower() == owner or host.lower().endswith(f".{owner}") for owner in owners)
