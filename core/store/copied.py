"""Rows in PostgreSQL's own binary format for COPY, put together cell by cell.

asyncpg writes that format too, and asks of every value and of every element of an array what it is:
for a clock with its steps that is three times the work. A cell is its length and the value as the
type's `send` function writes it; columns that say the same in many rows are joined once.
Source: https://www.postgresql.org/docs/18/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

from datetime import UTC, datetime
from struct import Struct
from typing import TYPE_CHECKING

from core.store import EVER, FOREVER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.store import Db

NULL = b"\xff\xff\xff\xff"
TRUE, FALSE = b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\x00"

PART = 100
"""Rows that are handed to the connection together."""

_BEGIN = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_BYTEA, _TEXT, _TIMESTAMPTZ = 17, 25, 1184

_fields = Struct("!h").pack
length = Struct("!i").pack
"""What a cell begins with: the length of its value in bytes."""

_integer = Struct("!ii").pack
_long = Struct("!iq").pack
_array = Struct("!iiiiii").pack
_empty = Struct("!iiii").pack

_NO_TEXTS = _empty(12, 0, 0, _TEXT)


async def write(db: Db, table: str, columns: Sequence[str], rows: Sequence[bytes]) -> None:
    """Append *rows* to *table*: each is made of as many cells as there are *columns*."""
    source = _parts(_fields(len(columns)), rows)
    await db.copy_to_table(table, source=source, columns=columns, format="binary")


async def _parts(begin: bytes, rows: Sequence[bytes]) -> AsyncIterator[bytes]:
    """All of it, each row led in by *begin*, in parts that a socket takes at once."""
    yield _BEGIN
    for first in range(0, len(rows), PART):
        yield begin + begin.join(rows[first : first + PART])
    yield _END


def text(value: str | None) -> bytes:
    """A cell of type text.

    Raises:
        UnicodeEncodeError: *value* has a lone surrogate.
    """
    if value is None:
        return NULL
    told = value.encode()
    return length(len(told)) + told


def blob(value: bytes) -> bytes:
    """A cell of type bytea."""
    return length(len(value)) + value


def integer(value: int | None) -> bytes:
    """A cell of type integer."""
    return NULL if value is None else _integer(4, value)


def bigint(value: int) -> bytes:
    """A cell of type bigint."""
    return _long(8, value)


def boolean(value: bool) -> bytes:  # noqa: FBT001  # it is the value
    """A cell of type boolean."""
    return TRUE if value else FALSE


def instant(at: datetime | None) -> bytes:
    """A cell of type timestamptz: microseconds since 2000, bounded as by `core.store.held`."""
    if at is None:
        return NULL
    if not EVER < at < FOREVER:
        at = EVER if at <= EVER else FOREVER
    since = at - _EPOCH  # as a quotient of two durations it would take twice as long
    return _long(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def json_(value: bytes | None) -> bytes:
    """A cell of type jsonb, of a JSON text; None is no value, not JSON's null."""
    return NULL if value is None else length(len(value) + 1) + b"\x01" + value


def texts(values: Sequence[str]) -> bytes:
    """A cell of type text[]."""
    return _of(_TEXT, [text(value) for value in values]) if values else _NO_TEXTS


def blobs(values: Sequence[bytes] | None) -> bytes:
    """A cell of type bytea[]."""
    return NULL if values is None else _of(_BYTEA, [blob(value) for value in values])


def instants(values: Sequence[datetime]) -> bytes:
    """A cell of type timestamptz[]."""
    return _of(_TIMESTAMPTZ, [instant(value) for value in values])


def _of(kind: int, cells: Sequence[bytes]) -> bytes:
    """An array of one dimension, without nulls, that begins at 1."""
    if not cells:
        return _empty(12, 0, 0, kind)
    told = b"".join(cells)
    return _array(20 + len(told), 1, 0, kind, len(cells), 1) + told
