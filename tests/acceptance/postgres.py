"""A PostgreSQL of the test's own on a port of loopback, fsync on; the test starts and stops it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.store import pgbinaries, pgcluster
from tests.acceptance.shop import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Postgres:
    """*environ* is all that the server is told by its environment, as what fakes its clock."""

    def __init__(self, place: Path, environ: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self._environ = {"LC_ALL": "C", "TZ": "UTC", **(environ or {})}
        self._home, self._user = pgcluster.settle(place / "server", elsewhere=place / "lib")
        self._binaries = pgbinaries.prepare(self._user, elsewhere=place / "lib")
        self._word = pgcluster.password(self._home)
        asyncio.run(pgcluster.create(self._home, self._binaries, self._word))
        self._process: subprocess.Popen[bytes] | None = None

    def dsn(self, port: int | None = None) -> str:
        """How it is reached: by its own port, or by the *port* of what stands in front of it."""
        who = f"{pgcluster.ROLE}:{self._word}"
        return f"postgresql://{who}@127.0.0.1:{port or self.port}/postgres?sslmode=disable"

    def address(self) -> dict[str, str]:
        """How the test itself reaches it."""
        return {"dsn": self.dsn()}

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "",
            "fsync": "on", "max_connections": "60", "timezone": "UTC",
        }  # fmt: skip
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        who = {"user": self._user.uid, "group": self._user.gid, "extra_groups": []}
        with self._home.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries.directory / "postgres", "-D", self._home.data, *words],
                cwd="/", env=self._environ, stdout=log, stderr=log, **(who if self._user else {}),
            )  # fmt: skip
        while not self._is_ready():
            assert self._process.poll() is None, self.log()

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def log(self) -> str:
        return self._home.log.read_text(errors="replace")

    def _is_ready(self) -> bool:
        file = self._home.data / "postmaster.pid"
        return file.exists() and "ready" in file.read_text()


@contextmanager
def postgres_at(place: Path, environ: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """A server that runs, with an empty database."""
    server = Postgres(place, environ)
    server.start()
    try:
        yield server
    finally:
        server.stop()
