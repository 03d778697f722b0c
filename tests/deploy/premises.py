"""A machine as a container is one: a root that cannot be written to, a user who owns nothing.

Where we may mount (as root, mostly) that is a mount namespace of its own, which ends with the
command; elsewhere the command runs as whoever we are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USER = 10001
LENT = """
mount --make-rprivate / && mount --bind "$PLACE" "$PLACE" &&
mount --bind "$BASE" "$PLACE/python" &&
mount --bind "$PACKAGES" "$PLACE/packages" && mount --bind "$PROJECT" "$PLACE/project"
"""
CLOSED = """
mount --bind "$PLACE/state" "$PLACE/state" && mount --bind "$PLACE/passwd" /etc/passwd &&
for each in "$PLACE" "$PLACE/python" "$PLACE/packages" "$PLACE/project" /; do
    mount -o remount,bind,ro "$each" || exit 91
done &&
if touch "$PLACE/x" "$PLACE/project/x" /tmp/x 2>/dev/null; then exit 92; fi
"""
AS_USER = f"exec setpriv --reuid {USER} --regid {USER} --clear-groups --no-new-privs"
AS_USER += ' --bounding-set -all -- "$@"'
LENDS = ("python", "packages", "project")


@cache
def may_mount() -> bool:
    """Whether a command may have mounts of its own here; in most containers even root may not."""
    tried = ["unshare", "-m", "mount", "--make-rprivate", "/"]
    return (
        os.geteuid() == 0 and not subprocess.run(tried, capture_output=True, check=False).returncode
    )


@dataclass(frozen=True, slots=True)
class Premises:
    """A *place* that everybody may enter, though the interpreter may lie in root's own home.

    Lent to it are the interpreter (`python`), what the tests run on (`packages`) and the project.
    """

    place: Path

    @property
    def python(self) -> Path:
        """The interpreter, as a user who may not enter root's home can run it."""
        if not may_mount():
            return Path(sys.executable)
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.place / "python" / "bin" / name

    @property
    def state(self) -> Path:
        """The one directory that may be written to."""
        return self.place / "state"

    def prepare(self) -> None:
        for name in (*LENDS, "state"):
            (self.place / name).mkdir()
        known = Path("/etc/passwd").read_text()
        nobody = f"replyby:x:{USER}:{USER}::{self.state}:/usr/sbin/nologin\n"
        (self.place / "passwd").write_text(known + nobody)
        if may_mount():
            os.chown(self.state, USER, USER)

    def environ(self) -> dict[str, str]:
        """What the commands below need of the environment."""
        return {
            "BASE": sys.base_prefix,
            "PACKAGES": sysconfig.get_path("purelib"),
            "PROJECT": str(ROOT),
            "PLACE": str(self.place),
            "PYTHON": str(self.python),
            "LD_LIBRARY_PATH": str(self.place / "python" / "lib"),
        }

    def as_tested(self) -> dict[str, str]:
        """What makes `PYTHON -m core` run the project beside what the tests run on."""
        if not may_mount():
            return {}
        return {"PYTHONPATH": f"{self.place / 'project'}:{self.place / 'packages'}"}

    def lent(self, *command: str) -> list[str]:
        """*command* with the interpreter in its place, as it is when an image is built."""
        if not may_mount():
            return list(command)
        return ["unshare", "-m", "sh", "-c", f'{LENT.strip()} && exec "$@"', "sh", *command]

    def closed(self, *command: str) -> list[str]:
        """*command* as a container runs it: nobody's user, nothing to write to but the state."""
        if not may_mount():
            return list(command)
        script = f"set -e\n{LENT.strip()} &&\n{CLOSED.strip()}\n{AS_USER}"
        return ["unshare", "-m", "sh", "-c", script, "sh", *command]
