"""A machine as a container is one: a root that cannot be written to, a user who owns nothing.

Where we may mount (as root) that is a mount namespace of its own, which ends with the command;
elsewhere the command runs as whoever we are.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

USER = 10001
LENT = (
    'mount --make-rprivate / && mount --bind "$PLACE" "$PLACE" && '
    'mount --bind "$BASE" "$PLACE/python"'
)
CLOSED = (
    'mount --bind "$PLACE/state" "$PLACE/state" && '
    'mount -o remount,bind,ro "$PLACE" && mount -o remount,bind,ro / && '
    'if touch "$PLACE/x" /tmp/x 2>/dev/null; then echo "can be written to" >&2; exit 90; fi'
)
AS_USER = f"exec setpriv --reuid {USER} --regid {USER} --clear-groups --no-new-privs"
AS_USER += ' --bounding-set -all -- "$@"'


@dataclass(frozen=True, slots=True)
class Premises:
    """A *place* that everybody may enter, with the interpreter lent to it at `python`."""

    place: Path

    @property
    def is_root(self) -> bool:
        return os.geteuid() == 0

    @property
    def python(self) -> Path:
        """An interpreter that a user who may not enter root's home can run."""
        if not self.is_root:
            return Path(sys.executable)
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.place / "python" / "bin" / name

    @property
    def state(self) -> Path:
        return self.place / "state"

    def prepare(self) -> None:
        for name in ("python", "state"):
            (self.place / name).mkdir()
        if self.is_root:
            os.chown(self.state, USER, USER)

    def environ(self) -> dict[str, str]:
        """What the commands below need of the environment."""
        return {
            "BASE": sys.base_prefix,
            "PLACE": str(self.place),
            "PYTHON": str(self.python),
            "LD_LIBRARY_PATH": str(self.place / "python" / "lib"),
        }

    def lent(self, *command: str) -> list[str]:
        """*command* with the interpreter in its place, as it is when an image is built."""
        if not self.is_root:
            return list(command)
        return ["unshare", "-m", "sh", "-c", f'{LENT} && exec "$@"', "sh", *command]

    def closed(self, *command: str) -> list[str]:
        """*command* as a container runs it: nobody's user, nothing to write to but the state."""
        if not self.is_root:
            return list(command)
        return ["unshare", "-m", "sh", "-c", f"{LENT} && {CLOSED} && {AS_USER}", "sh", *command]
