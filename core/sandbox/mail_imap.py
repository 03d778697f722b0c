"""The IMAP side of a stand-in's mail server: pymap, with the uses of folders, faults to order."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from typing import TYPE_CHECKING

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Subsystem
from pymap.config import BackendCapability
from pymap.context import connection_exit
from pymap.exceptions import InvalidAuth, ResponseError
from pymap.imap import IMAPConnection, IMAPServer
from pymap.imap.state import ConnectionState
from pymap.listtree import ListEntry, ListTree
from pymap.parsing.message import AppendMessage
from pymap.parsing.response import Response, ResponseCode, ResponseNo
from pymap.parsing.specials.flag import Flag
from pymap.user import UserMetadata
from pysasl import SASLAuth
from pysasl.creds.external import ExternalCredentials, ExternalVerificationRequired
from pysasl.hashing import Cleartext

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator, Iterable, Sequence
    from datetime import datetime

    from proxyprotocol.sock import SocketInfo
    from pymap.parsing.command.auth import SelectCommand
    from pymap.parsing.response import CommandResponse
    from pymap.selected import SelectedMailbox
    from pysasl.creds.server import ServerCredentials

    from core.sandbox.mail_faults import MailFaults

USES = {"Sent": b"Sent", "Junk": b"Junk"}
"""Which folders exist from the start, and what RFC 6154 calls their use."""


class _Entry(ListEntry):
    @property
    def attributes(self) -> Sequence[bytes]:
        use = USES.get(self.name)
        return [*super().attributes, *([use] if use else [])]


class _Tree(ListTree):
    def list_matching(self, ref_name: str, filter_: str) -> Iterable[ListEntry]:
        for entry in super().list_matching(ref_name, filter_):
            yield _Entry(entry.name, entry.exists, entry.marked, entry.has_children)


class Folders(MailboxSet):
    """One user's folders."""

    async def list_mailboxes(self) -> ListTree:
        """All of them, with their uses."""
        return _Tree(self.delimiter).update("INBOX", *self._set)

    async def renumber(self, name: str) -> None:
        """Give *name* another UIDVALIDITY and its letters new UIDs, as a restored server does."""
        old = await self.get_mailbox(name)
        new = MailboxData(self._content_cache, self._thread_cache)
        new._uid_validity = old.uid_validity + 1  # noqa: SLF001  # pymap draws it by chance
        new._max_uid = 0  # noqa: SLF001  # and so that they differ from the old ones
        if name == "INBOX":
            self._inbox = new
        else:
            self._set[name] = new
        for uid in sorted(old._messages):  # noqa: SLF001  # pymap has no way to list them
            await old.copy(uid, new)


class _Config(Config):
    def __init__(self, faults: MailFaults) -> None:
        super().__init__(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            demo_data=False,
            demo_user="",
            demo_password="",
            host=None,
            port=0,
            tls_enabled=False,
            reject_dnsbl=False,
            invalid_user_sleep=0.0,
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
        )
        self._faults = faults

    @property
    def backend_capability(self) -> BackendCapability:
        idle = not self._faults.strikes("imap_no_idle")
        return BackendCapability(
            idle=idle, object_id=True, multi_append=True, custom=[b"SPECIAL-USE"]
        )

    @property
    def tls_auth(self) -> SASLAuth:
        return SASLAuth.named([b"PLAIN", b"XOAUTH2"])


class _Limit(ResponseError):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def get_response(self, tag: bytes) -> Response:
        said = "Too many simultaneous connections"
        if self._seconds:  # as Exchange says it
            said += f", Suggested Backoff Time: {self._seconds * 1000:.0f} milliseconds"
        return ResponseNo(tag, said.encode(), ResponseCode.of(b"UNAVAILABLE"))


class _Login(Login):
    """Passwords, or the one access token that is good."""

    def __init__(self, config: _Config, faults: MailFaults) -> None:
        super().__init__(config)
        self.faults = faults
        self.access_tokens: set[str] = set()

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        if self.faults.strikes("imap_refuse_login"):
            raise InvalidAuth
        if (seconds := self.faults.delay("imap_limit")) is not None:
            raise _Limit(seconds)
        if isinstance(credentials, ExternalCredentials):
            return self._by_token(credentials)
        return await super().authenticate(credentials)

    def _by_token(self, credentials: ExternalCredentials) -> Identity:
        try:
            credentials.verify(None)
        except ExternalVerificationRequired as asked:
            if credentials.authzid in self.users_dict and asked.token in self.access_tokens:
                return Identity(credentials.authzid, self, None, frozenset())
        raise InvalidAuth


class _State(ConnectionState):
    """What a connection has come to; no folder is opened while that is a fault in force."""

    def __init__(self, server: IMAPServer, faults: MailFaults) -> None:
        super().__init__(server._login, server._config)  # noqa: SLF001  # there is no other way to it
        self._faults = faults

    async def do_select(self, cmd: SelectCommand) -> tuple[CommandResponse, SelectedMailbox | None]:
        if self._faults.strikes("imap_refuse_folder"):
            return ResponseNo(cmd.tag, b"this folder cannot be opened"), None
        return await super().do_select(cmd)


class _Connection(IMAPConnection):
    """A connection that may end or fall silent when told to."""

    __slots__ = ("_faults",)

    def __init__(
        self,
        server: IMAPServer,
        faults: MailFaults,
        reader: StreamReader,
        writer: StreamWriter,
        info: SocketInfo,
    ) -> None:
        super().__init__(server.commands, server._config, reader, writer, info)  # noqa: SLF001  # there is no other way to it
        self._faults = faults

    async def readline(self) -> memoryview:
        line = await super().readline()
        if self._faults.strikes("imap_drop"):
            self.writer.transport.abort()
            raise EOFError
        return line

    async def write_response(self, resp: Response) -> None:
        if not self._faults.strikes("imap_silent"):
            await super().write_response(resp)


class _Server(IMAPServer):
    __slots__ = ("_faults", "_talks")

    def __init__(self, login: _Login, config: _Config, faults: MailFaults) -> None:
        super().__init__(login, config)
        self._faults = faults
        self._talks: set[asyncio.Task[None]] = set()

    async def __call__(
        self, reader: StreamReader, writer: StreamWriter, sock_info: SocketInfo
    ) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)
        talk = _Connection(self, self._faults, reader, writer, sock_info)
        state = _State(self, self._faults)
        with suppress(ConnectionError):
            async with AsyncExitStack() as stack:
                connection_exit.set(stack)
                stack.enter_context(closing(talk))
                await talk.run(state)

    async def close(self) -> None:
        """End every connection."""
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


class Imap:
    """The server: who may log in, and their folders."""

    def __init__(self, faults: MailFaults) -> None:
        self._config = _Config(faults)
        self._login = _Login(self._config, faults)
        self._server = _Server(self._login, self._config, faults)
        self._folders: dict[str, Folders] = {}
        self.port = 0

    @property
    def access_tokens(self) -> set[str]:
        """Those that XOAUTH2 takes, for everybody."""
        return self._login.access_tokens

    async def add(self, user: str, password: str) -> None:
        """Give *user* a mailbox with INBOX, Sent and Junk."""
        folders = self._folders[user] = Folders()
        for name in USES:
            await folders.add_mailbox(name)
        self._config.set_cache[user] = (folders, FilterSet())
        self._login.users_dict[user] = UserMetadata(self._config, user, password=password)

    def folders(self, user: str) -> Folders:
        """The folders of *user*."""
        return self._folders[user]

    async def put(
        self, user: str, folder: str, raw: bytes, at: datetime, flags: Iterable[str]
    ) -> int:
        """Add a letter; its UID."""
        marks = frozenset(Flag(flag.encode()) for flag in flags)
        kept = await self.folders(user).get_mailbox(folder)
        return (await kept.append(AppendMessage(raw, at, marks), recent=True)).uid

    async def letters(
        self, user: str, folder: str
    ) -> AsyncIterator[tuple[int, datetime, frozenset[str]]]:
        """UID, date of arrival and flags of each letter."""
        kept = await self.folders(user).get_mailbox(folder)
        async for each in kept.messages():
            yield each.uid, each.internal_date, frozenset(map(str, each.permanent_flags))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on a free port of loopback."""
        self._config.apply_context()
        answer = ProxyProtocolReader(self._config.proxy_protocol).get_callback(self._server)
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            await self._server.close()
