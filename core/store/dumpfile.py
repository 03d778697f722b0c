r"""The file of a dump: text that psql reads too, compressed by gzip, whole or refused.

Lines that begin with ``--`` are ours; between ``COPY`` and ``\.`` are rows as PostgreSQL's text
format writes them, which every version of it reads.

    -- replyby dump 1 {"made_at": ..., "program": ..., "server": ..., "schema": [...], ...}
    -- table {"name": "account", "columns": ["name", ...]}
    COPY account (name, ...) FROM stdin;
    ...
    \.
    -- rows {"rows": 2, "sha256": ...}              of what stands between, line for line
    -- sequence {"table": "clock", "column": "id", "value": 12}
    -- end {"sha256": ...}                          of every line of ours above, those digests too
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from core.errors import Mistaken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FORMAT = 1
MAGIC = "-- replyby dump "
TABLE, ROWS, SEQUENCE, END = "-- table ", "-- rows ", "-- sequence ", "-- end "
LAST = b"\\.\n"
LEVEL = 3
"""Of compression: twice as fast as the usual 6, for a tenth more bytes."""
BLOCK = 1 << 18
LONGEST = 1 << 20
"""Bytes of a line of ours at most: a foreign file is not read into memory to see that it is one."""
GZIP = 31


class Applied(NamedTuple):
    """A migration that the dumped database had."""

    version: int
    name: str
    sha256: str


class Table(NamedTuple):
    """A table and those of its columns that are dumped, in order."""

    name: str
    columns: tuple[str, ...]


class Counter(NamedTuple):
    """Where the sequence of a column stands; *value* is None where it gave no number yet."""

    table: str
    column: str
    value: int | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a dump says of itself. *workers* is how many daemons worked when it was made."""

    made_at: datetime
    program: str
    server: int
    schema: tuple[Applied, ...]
    tables: tuple[str, ...]
    workers: int = 0


class Writer:
    """Writes a dump to *file*, in the order of the module's picture.

    Raises:
        Mistaken: the file cannot be written; so does every method.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._squeezed = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        self._all = sha256()
        self._rows = sha256()
        self.rows = 0
        self.fault: Mistaken | None = None
        """Why it could not be written: the driver tells of a closed connection in its place."""

    def begin(self, manifest: Manifest) -> None:
        """Say what follows."""
        told = {**asdict(manifest), "made_at": manifest.made_at.isoformat()}
        self._say(f"{MAGIC}{FORMAT} ", told)

    def table(self, table: Table) -> None:
        """Begin a table; its rows follow by `take`, and `close` ends it."""
        self._rows, self.rows = sha256(), 0
        self._say(TABLE, {"name": table.name, "columns": table.columns})
        self._put(_copy(table))

    async def take(self, rows: bytes) -> None:
        """Whole rows, or parts of them, as `COPY` gives them."""
        self._rows.update(rows)
        self.rows += rows.count(b"\n")
        self._put(rows)

    def close(self) -> None:
        """End the table."""
        self._put(LAST)
        self._say(ROWS, {"rows": self.rows, "sha256": self._rows.hexdigest()})

    def counter(self, counter: Counter) -> None:
        """Say where a sequence stands."""
        self._say(SEQUENCE, counter._asdict())

    def end(self) -> None:
        """Say that this is all of it."""
        self._say(END, {"sha256": self._all.hexdigest()})
        self._write(self._squeezed.flush())

    def _say(self, what: str, told: object) -> None:
        line = f"{what}{json.dumps(told)}\n".encode()
        self._all.update(line)
        self._put(line)

    def _put(self, line: bytes) -> None:
        self._write(self._squeezed.compress(line))

    def _write(self, squeezed: bytes) -> None:
        try:
            self._file.write(squeezed)
        except OSError as fault:  # it is none of the database's
            self.fault = Mistaken(f"the dump cannot be written: {fault.strerror}")
            raise self.fault from fault


class Reader:
    """Reads a dump from *file*; the manifest at once, the rest as it is asked for.

    Raises:
        Mistaken: it is no dump, of a newer program, cut off or damaged; so does every method.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = gzip.GzipFile(fileobj=file, mode="rb")
        self._name = name
        self._all = sha256()
        self._line = b""
        self.rows = 0
        self.manifest = self._manifest()
        self._next()

    def tables(self) -> Iterator[Table]:
        """Each table, in the order in which they can be filled; read its `blocks` before the next.

        After the last the counters follow.
        """
        named = []
        while (told := self._told(TABLE)) is not None:
            table = Table(str(told.get("name")), tuple(map(str, told.get("columns") or ())))
            if self._read() != _copy(table):
                raise self._damaged()
            named.append(table.name)
            yield table
        if tuple(named) != self.manifest.tables:
            raise self._damaged()

    def blocks(self) -> Iterator[bytes]:
        """The rows of the table, many at once; they are proven when the last block was given."""
        digest, block, size, self.rows = sha256(), [], 0, 0
        while (line := self._read()) != LAST:
            block.append(line)
            size += len(line)
            if size >= BLOCK:
                self.rows += len(block)
                yield _joined(block, digest)
                block, size = [], 0
        self.rows += len(block)
        if block:
            yield _joined(block, digest)
        self._next()
        if self._told(ROWS) != {"rows": self.rows, "sha256": digest.hexdigest()}:
            raise self._damaged()

    def counters(self) -> Iterator[Counter]:
        """Where each sequence stands; after the last of them the dump is known to be whole."""
        while (told := self._told(SEQUENCE)) is not None:
            yield Counter(str(told.get("table")), str(told.get("column")), told.get("value"))
        said = self._all.hexdigest()
        if self._ours(END) != {"sha256": said} or self._read(at_end=True):
            raise self._damaged()

    def verify(self) -> dict[str, int]:
        """Read all of it; how many rows each table has."""
        found = {}
        for table in self.tables():
            for _ in self.blocks():
                pass
            found[table.name] = self.rows
        for _ in self.counters():
            pass
        return found

    def _manifest(self) -> Manifest:
        begin = line = b""
        try:
            begin = self._file.peek(len(MAGIC))
            line = self._file.readline(LONGEST)
        except (OSError, EOFError, zlib.error) as fault:
            if begin.startswith(MAGIC.encode()):
                raise self._damaged() from fault
        if not line.startswith(MAGIC.encode()):
            raise Mistaken(f"{self._name} is no dump of replyby; nothing was changed")
        self._all.update(line)
        version, _, told = line.decode("utf-8", "replace").removeprefix(MAGIC).partition(" ")
        if version != str(FORMAT):
            raise Mistaken(
                f"{self._name} has format {version[:20]}, this version reads {FORMAT}: restore it"
                " with the version that made it, or a newer one; nothing was changed"
            )
        try:
            return _manifest(json.loads(told))
        except (ValueError, KeyError, TypeError) as fault:
            raise self._damaged() from fault

    def _told(self, what: str) -> dict[str, Any] | None:
        """What the line says, if it says *what*, and go on to the next; None if it does not."""
        if not self._line.startswith(what.encode()):
            return None
        told = self._ours(what)
        self._all.update(self._line)
        if what != TABLE:
            self._next()
        return told

    def _ours(self, what: str) -> dict[str, Any]:
        try:
            told = json.loads(self._line.decode().removeprefix(what))
        except ValueError as fault:
            raise self._damaged() from fault
        if not isinstance(told, dict):
            raise self._damaged()
        return told

    def _next(self) -> None:
        self._line = self._read()

    def _read(self, *, at_end: bool = False) -> bytes:
        try:
            line = self._file.readline()
        except (OSError, EOFError, zlib.error) as fault:
            raise self._damaged() from fault
        if not at_end and not line.endswith(b"\n"):
            raise self._damaged()
        return line

    def _damaged(self) -> Mistaken:
        return Mistaken(
            f"{self._name} is cut off or damaged: take another dump; nothing was changed"
        )


def _manifest(told: dict[str, Any]) -> Manifest:
    return Manifest(
        made_at=datetime.fromisoformat(told["made_at"]),
        program=str(told["program"]),
        server=int(told["server"]),
        schema=tuple(Applied(int(v), str(name), str(sha)) for v, name, sha in told["schema"]),
        tables=tuple(map(str, told["tables"])),
        workers=int(told["workers"]),
    )


def _joined(lines: Sequence[bytes], digest: Any) -> bytes:
    block = b"".join(lines)
    digest.update(block)
    return block


def _copy(table: Table) -> bytes:
    """What psql needs to read the rows that follow."""
    columns = ", ".join(map(quoted, table.columns))
    return f"COPY {quoted(table.name)} ({columns}) FROM stdin;\n".encode()


def quoted(name: str) -> str:
    """*name* as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
