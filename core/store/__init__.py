"""The only part that speaks to PostgreSQL.

A table is a module of functions; the first parameter is the connection, and the caller owns the
transaction: `transaction(pool)` opens one, and says so when the database is away. For a function of
one statement `statement(pool)` will do, which asks the server once instead of three times.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from core.errors import StoreGaveUp, StoreImpaired, StoreUnavailable, Unstorable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator

    from asyncpg import Connection, Record
    from asyncpg.connection import LoggedQuery
    from asyncpg.pool import PoolConnectionProxy

    Db: TypeAlias = Connection[Record] | PoolConnectionProxy[Record]
    Pool: TypeAlias = asyncpg.Pool[Record]
    Told: TypeAlias = Callable[[LoggedQuery], None]


class Raced(Exception):  # not an error: a reason to look again
    """Another transaction was first; the savepoint is rolled back, and one looks again."""


Address: TypeAlias = Mapping[str, object]
"""Where the database is: keyword arguments of `asyncpg.connect`, or ``{"dsn": ...}``."""

EVER = datetime.min.replace(tzinfo=UTC) + timedelta(microseconds=1)
FOREVER = datetime.max.replace(tzinfo=UTC) - timedelta(microseconds=1)
"""The first and last instant that a row may hold."""

SETTINGS = {
    "jit": "off",
    "timezone": "UTC",
    "tcp_keepalives_idle": "10",
    # A process that is stopped in mid-transaction must not hold its locks against the others.
    "idle_in_transaction_session_timeout": "30s",
}
COMMAND_SECONDS = 60.0
LONGEST = 300
CONNECT_SECONDS = 10.0
CANCEL_SECONDS = 0.5

_GONE: tuple[type[Exception], ...] = (
    OSError,  # TimeoutError is one: a database that does not answer is away
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InternalClientError,  # what a connection says when the server died in mid-sentence
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,
)
_IMPAIRED: tuple[type[Exception], ...] = (
    asyncpg.InsufficientResourcesError,  # a full disk
    asyncpg.PostgresSystemError,  # files that are gone, or cannot be read or written
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
    asyncpg.ReadOnlySQLTransactionError,
)
_AGAIN: tuple[type[Exception], ...] = (
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidCachedStatementError,  # a newer version has widened a table beside us
)
_GIVEN_UP: tuple[type[Exception], ...] = (
    TimeoutError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    *_AGAIN,
)
_REFUSED: tuple[type[Exception], ...] = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    OverflowError,
    ValueError,
)


class Mortal(asyncpg.Connection):
    """A connection that is cut off where the server does not take a cancellation in time.

    asyncpg waits for that as long as for a command, and whoever gave up waits with it: a server
    that hangs would hold up the end of the process, and every answer that has a limit.
    """

    def get_reset_query(self) -> str:
        """Nothing, where asyncpg asks the server to forget the session at each return to a pool.

        What a session remembers (listeners, the locks of workers) has connections of its own here,
        and an open transaction is rolled back all the same.
        """
        return ""

    def _cancel_current_command(self, *waiters: asyncio.Future[None]) -> None:
        super()._cancel_current_command(*waiters)  # type: ignore[misc]  # the stubs leave it out
        loop = asyncio.get_running_loop()
        loop.call_later(CANCEL_SECONDS, self._cut_off, waiters)

    def _cut_off(self, waiters: tuple[asyncio.Future[None], ...]) -> None:
        if not all(waiter.done() for waiter in waiters):
            self.terminate()


async def open_pool(
    address: Address, *, size: int = 10, name: str = "replyby", told: Told | None = None
) -> Pool:
    """Connections to the database at *address*, at most *size*, under *name* in its lists.

    *told* hears of each statement when it has ended.

    Raises:
        StoreUnavailable: it cannot be reached.
    """
    with unavailable():
        pool: Pool = await asyncpg.create_pool(
            **_told(address, name), min_size=1, max_size=size, init=partial(prepare, told=told)
        )
    return pool


async def connect(address: Address, *, name: str = "replyby") -> Connection[Record]:
    """One connection outside any pool: for what must outlive a transaction, a lock or a listener.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    with unavailable():
        connection: Connection[Record] = await asyncpg.connect(**_told(address, name))
        await prepare(connection)
    return connection


async def prepare(connection: Connection[Record], *, told: Told | None = None) -> None:
    """Make *connection* read and write jsonb as Python values, and *told* hear of statements."""
    if told is not None:
        connection.add_query_logger(told)
    await connection.set_type_codec(
        "jsonb", encoder=_encode, decoder=_decode, schema="pg_catalog", format="binary"
    )


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Db]:
    """One transaction on a connection of *pool*.

    Raises:
        StoreUnavailable: the database cannot be reached, or went away in between; as
            `StoreGaveUp`, it is there and ended this transaction.
    """
    with unavailable():
        async with pool.acquire() as db:
            with _given_up():
                async with db.transaction():
                    yield db


@asynccontextmanager
async def statement(pool: Pool) -> AsyncIterator[Db]:
    """A connection of *pool* on which each statement is a transaction of its own.

    Raises:
        StoreUnavailable: the database cannot be reached, or went away in between.
    """
    with unavailable():
        async with pool.acquire() as db:
            yield db


def held(instant: datetime | None) -> datetime | None:
    """*instant* as the database gives it back: Python's first and last are infinite there."""
    if instant is None or EVER < instant < FOREVER:
        return instant
    return EVER if instant <= EVER else FOREVER


def legible(text: str, longest: int = LONGEST) -> str:
    """*text* as the database and an index can hold it; a hash stands for the end of a long one."""
    clean = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if len(clean) <= longest:
        return clean
    return f"{clean[: longest - 17]}~{sha256(clean.encode()).hexdigest()[:16]}"


def pairs(ids: Mapping[str, Collection[str]]) -> tuple[list[str], list[str]]:
    """Each of *ids* with its account, as two columns."""
    accounts = [account for account, of in ids.items() for _ in of]
    return accounts, [id_ for of in ids.values() for id_ in of]


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn whatever says that the database is away into `StoreUnavailable`.

    Where it answers, and cannot do its work, that is `StoreImpaired`.
    A cancellation stays one, also where the rollback that follows it finds the connection gone.
    """
    try:
        yield
    except StoreUnavailable:
        raise
    except _GONE as fault:
        _stay_cancelled()
        raise StoreUnavailable(_words(fault)) from fault
    except _IMPAIRED as fault:
        _stay_cancelled()
        raise StoreImpaired(_words(fault)) from fault
    except asyncpg.InterfaceError as fault:
        _stay_cancelled()
        if not any(word in str(fault) for word in ("closed", "closing")):
            raise
        raise StoreUnavailable(_words(fault)) from fault


@contextmanager
def _given_up() -> Iterator[None]:
    """Turn what ended one transaction, and says nothing of others, into `StoreGaveUp`."""
    try:
        yield
    except _GIVEN_UP as fault:
        _stay_cancelled()
        raise StoreGaveUp(_words(fault), for_another=isinstance(fault, _AGAIN)) from fault


@contextmanager
def refusing() -> Iterator[None]:
    """Turn PostgreSQL's refusal of a value, and Python's of a date, into `Unstorable`.

    The text names the kind of fault and never the value. A key that another transaction has taken
    meanwhile is no fault: `Raced`.
    """
    try:
        yield
    except asyncpg.UniqueViolationError as taken:
        raise Raced from taken
    except _REFUSED as fault:
        raise Unstorable(type(fault).__name__) from fault


def _told(address: Address, name: str) -> dict[str, Any]:
    return {
        "timeout": CONNECT_SECONDS,
        "command_timeout": COMMAND_SECONDS,
        **address,
        "connection_class": Mortal,
        "server_settings": {**SETTINGS, "application_name": name},
    }


def _stay_cancelled() -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _words(fault: Exception) -> str:
    """One line: what kind of fault, and what was said of it."""
    said = " ".join(str(fault).split()) or "no answer in time"
    return f"{type(fault).__name__}: {said[:200]}"


_NOTHING = b"\x01{}"


def _encode(value: object) -> bytes:
    return _NOTHING if value == {} else b"\x01" + json.dumps(value).encode()


def _decode(raw: bytes) -> object:
    return {} if raw == _NOTHING else json.loads(raw[1:])
