"""One IMAP connection, blocking. The only module that knows IMAPClient, which has no types.

It looks only: EXAMINE and BODY.PEEK change no flag. Every fault leaves as a `ConnectorError`.
"""

from __future__ import annotations

import select
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from imaplib import IMAP4
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from imapclient import IMAPClient, SocketTimeout  # type: ignore[import-untyped]  # has no types

from core.errors import BadCredentials
from core.transport.imap_dial import dialled
from core.transport.imap_errors import translated

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence
    from io import BufferedReader

    from core.transport.imap_errors import Stage
    from core.transport.login import Login


class Examined(NamedTuple):
    """A folder as it is: *uidnext* is at most what the next letter gets; *letters* are in it."""

    uidvalidity: int
    uidnext: int
    letters: int


class Listed(NamedTuple):
    r"""A folder's *name*, decoded; its *flags* in lower case (``\sent``)."""

    name: str
    flags: frozenset[str]
    delimiter: str


class Facts(NamedTuple):
    """What is known of a letter before it is fetched; *arrived_at* is UTC, None if unreadable."""

    uid: int
    arrived_at: datetime | None
    size: int
    flags: frozenset[str]
    gm_msgid: str | None
    gm_thrid: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How to get there. *plug* is shown each socket, so that another thread can cut it."""

    tls: ssl.SSLContext
    connect: float
    answer: float
    plug: Callable[[socket.socket], None]


class _Imap4(IMAP4):
    """The standard library's connection, on a socket that we made."""

    def __init__(self, host: str, port: int, dial: Callable[[], socket.socket]) -> None:
        self._dial = dial
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002  # the socket has its own
        return self._dial()


class _Client(IMAPClient):  # type: ignore[misc]  # the library has no types
    def __init__(self, login: Login, way: Way) -> None:
        self._way = way
        super().__init__(
            login.host,
            login.port,
            ssl=login.tls == "tls",
            ssl_context=way.tls,
            timeout=SocketTimeout(way.connect, way.answer),
        )
        self.normalise_times = False
        # Else each line, bodies among them, is formatted for a log that nobody may read.
        self._imap.debug = 0

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802  # the library's name
        return _Imap4(self.host, self.port, self._dial)

    def _dial(self) -> socket.socket:
        sock = dialled(self.host, self.port, self._way.connect, self._way.plug)
        if self.ssl:
            return self._way.tls.wrap_socket(sock, server_hostname=self.host)
        return sock


class Client:
    """A connection that has logged in; every method blocks, and raises `ConnectorError`."""

    def __init__(self, library: Any, where: str, can: frozenset[str]) -> None:
        self._library = library
        self._can = can
        self._imap: IMAP4 = library._imap  # noqa: SLF001  # the library has no other way to IDLE safely
        self._where = where

    @classmethod
    def connected(cls, login: Login, token: str | None, way: Way) -> Client:
        """Connect, protect, log in.

        Raises:
            Unreachable, RateLimited, BadCredentials: and nothing is left open.
        """
        where = f"mailbox at {login.host}"
        with _translating(where, "connect"):
            library = _Client(login, way)
        try:
            if login.tls == "starttls":
                with _translating(where, "tls"):
                    library.starttls(way.tls)
            with _translating(where, "login"):
                _log_in(library, login, token)
                can = _capabilities(library)
        except BaseException:
            _hang_up(library)
            raise
        return cls(library, where, can)

    @property
    def can_idle(self) -> bool:
        """Whether the server tells by itself when something is new."""
        return "IDLE" in self._can

    @property
    def is_gmail(self) -> bool:
        """Whether the server numbers letters across folders, as Gmail does."""
        return "X-GM-EXT-1" in self._can

    def noop(self) -> None:
        """Ask for a sign of life."""
        with _translating(self._where, "command"):
            self._library.noop()

    def folders(self) -> list[Listed]:
        """All folders, with what each is for where the server says so (RFC 6154)."""
        with _translating(self._where, "command"):
            return [
                Listed(name, frozenset(map(_word, flags)), (delimiter or b"").decode())
                for flags, delimiter, name in self._listed()
            ]

    def _listed(self) -> list[Any]:
        if not {"SPECIAL-USE", "LIST-EXTENDED"} <= self._can:
            return cast(list[Any], self._library.list_folders())
        simple: Any = self._imap
        kind, _ = simple._simple_command("LIST", '""', '"*"', "RETURN (SPECIAL-USE)")  # noqa: SLF001  # the library cannot ask for uses
        _, lines = simple._untagged_response(kind, [None], "LIST")  # noqa: SLF001  # likewise
        return cast(list[Any], self._library._proc_folder_list(lines))  # noqa: SLF001  # likewise

    def examine(self, folder: str) -> Examined:
        """Open *folder* to look only, and say what is in it now."""
        with _translating(self._where, "command"):
            seen = self._library.select_folder(folder, readonly=True)
            letters = int(seen[b"EXISTS"])
            after = seen.get(b"UIDNEXT")
            if after is None:
                after = max(self._library.search("UID *"), default=0) + 1 if letters else 1
            return Examined(int(seen.get(b"UIDVALIDITY", 0)), int(after), letters)

    def search(self, first: int, last: int | None, since: date | None = None) -> list[int]:
        """The UIDs from *first* to *last* (None: to the end), ascending.

        *since* leaves out what arrived before that day, in a zone that only the server knows.
        ``n:*`` always brings the last letter, even one below n: it is left out here.
        """
        asked = f"UID {first}:{last or '*'}"
        if since is not None:
            asked += f" SINCE {since.day:02}-{MONTHS[since.month - 1]}-{since.year}"
        with _translating(self._where, "command"):
            found = {int(uid) for uid in self._library.search(asked)}
        return sorted(uid for uid in found if first <= uid and (last is None or uid <= last))

    def facts(self, uids: Sequence[int]) -> list[Facts]:
        """What is known of these letters; those that were expunged meanwhile are left out."""
        wanted = ["INTERNALDATE", "RFC822.SIZE", "FLAGS"]
        if self.is_gmail:
            wanted += ["X-GM-MSGID", "X-GM-THRID"]
        with _translating(self._where, "command"):
            found = self._library.fetch(uids, wanted)
            return [
                _facts(uid, found[uid]) for uid in sorted(found) if b"RFC822.SIZE" in found[uid]
            ]

    def bodies(self, uids: Sequence[int]) -> dict[int, bytes | None]:
        """The letters whole; None where the server gives nothing for one that is there."""
        with _translating(self._where, "command"):
            found = self._library.fetch(uids, ["BODY.PEEK[]"])
            return {
                uid: _bytes(answer[b"BODY[]"])
                for uid, answer in found.items()
                if b"BODY[]" in answer
            }

    def part(self, uid: int, start: int, length: int) -> bytes | None:
        """So many bytes of a letter from *start*; None where the letter is gone."""
        with _translating(self._where, "command"):
            answer = self._library.fetch([uid], [f"BODY.PEEK[]<{start}.{length}>"]).get(uid, {})
            return _bytes(answer.get(f"BODY[]<{start}>".encode()))

    def append(self, folder: str, raw: bytes, at: datetime) -> None:
        """Put a letter that was read into *folder*, as arrived *at*."""
        with _translating(self._where, "command"):
            self._library.append(folder, raw, ("\\Seen",), at)

    def idle(self, seconds: float) -> bool:
        """Listen so long; whether a letter may have come. The server is to be told `done`."""
        with _translating(self._where, "command"):
            self._idle_tag = self._imap._command("IDLE")  # noqa: SLF001  # the library fails on an untagged line before the "+"
            until, told = monotonic() + seconds, False
            while (line := self._response()) is not None:
                told = told or _tells_of_letters(line)
                self._refuse_an_end(line)
            while not told and self._is_readable(until - monotonic()):
                line = self._response() or b""
                self._refuse_an_end(line)
                told = _tells_of_letters(line)
            return told

    def done(self) -> None:
        """End `idle`."""
        with _translating(self._where, "command"):
            self._imap.send(b"DONE\r\n")
            self._library._consume_until_tagged_response(self._idle_tag, "IDLE")  # noqa: SLF001  # likewise

    def log_out(self) -> None:
        """Say goodbye and close; never raises."""
        with suppress(Exception):
            self._imap.sock.settimeout(1.0)
            self._library.logout()

    def hang_up(self) -> None:
        """Close without a word; never raises."""
        _hang_up(self._library)

    def _response(self) -> bytes | None:
        """The next line, None for the server's "go on"."""
        return cast("bytes | None", self._imap._get_response())  # noqa: SLF001  # the library's own loop takes half a line for the end

    def _refuse_an_end(self, line: bytes) -> None:
        """Raise where *line* ends the connection, or the listening that we did not end."""
        if line.upper().startswith(b"* BYE"):
            raise IMAP4.abort(line.decode("latin-1"))
        if self._imap.tagged_commands.get(self._idle_tag):
            raise IMAP4.error(line.decode("latin-1"))

    def _is_readable(self, seconds: float) -> bool:
        """Wait so long for the begin of a line; raise where the connection has ended."""
        until = monotonic() + seconds
        while not self._buffered():
            left = until - monotonic()
            if left <= 0:
                return False
            if _polled(self._imap.sock, left) and self._buffered() == b"":
                raise EOFError
        return True

    def _buffered(self) -> bytes | None:
        """What was received and not read yet, taken without waiting; None where TLS has more.

        The system's poll says nothing of what lies in the buffers of the file and of TLS.
        """
        sock = self._imap.sock
        before = sock.gettimeout()
        sock.settimeout(0)
        try:
            return cast("BufferedReader", self._imap.file).peek(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        finally:
            sock.settimeout(before)


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@contextmanager
def _translating(where: str, stage: Stage) -> Iterator[None]:
    try:
        yield
    except Exception as fault:  # noqa: BLE001  # the library's parsers raise anything on a server's nonsense
        raise translated(fault, where, stage) from None


def _log_in(library: Any, login: Login, token: str | None) -> None:
    """Log in without the library's own ways: they take a lost connection for a wrong password."""
    imap: IMAP4 = library._imap  # noqa: SLF001  # see above
    if token is not None:
        imap.authenticate("XOAUTH2", _xoauth2(login.user, token))
    elif library.has_capability("AUTH=PLAIN"):
        given = f"\0{login.user}\0{login.password}".encode()
        imap.authenticate("PLAIN", lambda _: given)
    elif library.has_capability("LOGINDISABLED"):
        raise BadCredentials(f"mailbox at {login.host}: no login without TLS", detail="login")
    else:
        imap.login(_quoted(login.user), login.password or "")


def _capabilities(library: Any) -> frozenset[str]:
    """What the server can do now: the library keeps what the greeting said, which is less."""
    library._cached_capabilities = None  # noqa: SLF001  # see above
    return frozenset(word.decode("ascii", "replace").upper() for word in library.capabilities())


def _xoauth2(user: str, token: str) -> Callable[[bytes], bytes]:
    """Answer the first challenge with the token, the one that tells of a failure with nothing."""
    left = [f"user={user}\1auth=Bearer {token}\1\1".encode()]
    return lambda _: left.pop() if left else b""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _hang_up(library: Any) -> None:
    with suppress(Exception):
        library.shutdown()


def _facts(uid: int, answer: Any) -> Facts:
    return Facts(
        uid,
        _utc(answer.get(b"INTERNALDATE")),
        int(answer[b"RFC822.SIZE"]),
        frozenset(map(_word, answer.get(b"FLAGS") or ())),
        _number(answer.get(b"X-GM-MSGID")),
        _number(answer.get(b"X-GM-THRID")),
    )


def _number(told: object) -> str | None:
    return None if told is None else str(told)


def _utc(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def _word(flag: object) -> str:
    text = flag.decode("latin-1") if isinstance(flag, bytes) else str(flag)
    return text.lower()


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _tells_of_letters(line: bytes) -> bool:
    return line.upper().rstrip().endswith((b" EXISTS", b" RECENT"))


def _polled(sock: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
