"""A PostgreSQL of another major version than the wheel's: the system's, for as long as a test."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.store import pgbinaries
from tests.acceptance.shop import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "pg_lsclusters"
"""What stands on the path where Debian's PostgreSQL is installed; its server does not."""


def programs() -> Path:
    """The directory of the newest one's programs."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda path: int(path.parent.name))


def major() -> int:
    return int(programs().parent.name)


@contextmanager
def running(place: Path, data: Path | None = None) -> Iterator[str]:
    """A server on loopback, of *data* or of a directory made for it; its address as a DSN."""
    user = pgbinaries.User.unprivileged()
    who = {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}
    if data is None:
        data = make(place / "other")
    port, log = free_port(), place / "other.log"
    options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
               "-c", "unix_socket_directories="]  # fmt: skip
    with log.open("wb") as told:
        server = subprocess.Popen(
            [programs() / "postgres", "-D", data, *options],
            cwd="/", env={"LC_ALL": "C", "TZ": "UTC"}, stdout=told, stderr=told, **who,
        )  # fmt: skip
    try:
        while not _is_ready(data):
            assert server.poll() is None, log.read_text(errors="replace")
            time.sleep(0.02)
        yield f"postgresql://replyby@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        server.send_signal(2)
        server.wait(30)


def make(data: Path) -> Path:
    """A directory of data, in UTF-8, of a role that needs no password."""
    user = pgbinaries.User.unprivileged()
    data.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(data, user.uid, user.gid)
    made = pgbinaries.start(
        [programs() / "initdb", "-D", data, "-U", "replyby", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8", "--no-sync"],
        user=user, output=subprocess.PIPE,
    )  # fmt: skip
    said, _ = made.communicate()
    assert made.returncode == 0, said.decode()
    assert re.fullmatch(r"\d+", (data / "PG_VERSION").read_text().strip())
    return data


def _is_ready(data: Path) -> bool:
    file = data / "postmaster.pid"
    return file.exists() and "ready" in file.read_text()
