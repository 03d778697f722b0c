"""Runs a command under the kernel's filters of a systemd unit: `confined.py UNIT SETS COMMAND...`.

What systemd does with seccomp for `SystemCallFilter=`, `MemoryDenyWriteExecute=` and
`RestrictAddressFamilies=`, by the same library, so that a unit is proved without systemd. SETS is
what `systemd-analyze syscall-filter` prints. Standard library only: it runs before all else.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import socket
import sys
from pathlib import Path

ALLOW = 0x7FFF0000
ERRNO = 0x00050000
EQUAL, MASKED, ABOVE = 4, 7, 6
WRITE, EXECUTE, SHM_EXECUTE = 2, 4, 0o100000
FAMILIES = 64


class Compared(ctypes.Structure):
    """libseccomp's `scmp_arg_cmp`."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def sets(text: str) -> dict[str, list[str]]:
    """The sets of system calls by name, as systemd prints them."""
    found: dict[str, list[str]] = {}
    for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines():
        if line.startswith("@"):
            found[name := line.strip()] = []
        elif line.startswith("    ") and not line.strip().startswith("#"):
            found[name].append(line.strip())
    return found


def settings(unit: str, key: str) -> list[str]:
    return re.findall(rf"(?m)^{key}=(.*)$", unit)


def expanded(names: list[str], known: dict[str, list[str]]) -> set[str]:
    return {
        call
        for name in names
        for call in (expanded(known[name], known) if name.startswith("@") else [name])
    }


def allowed(unit: str, known: dict[str, list[str]]) -> set[str]:
    """The system calls that the unit's lines leave, each line adding or, with ~, taking away."""
    left = expanded(["@default"], known)
    for line in settings(unit, "SystemCallFilter"):
        calls = expanded(line.removeprefix("~").split(), known)
        left = left - calls if line.startswith("~") else left | calls
    return left


class Filter:
    """One filter of the kernel: what it does *otherwise*, and the exceptions."""

    def __init__(self, otherwise: int) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(otherwise))

    def add(self, action: int, call: str, *compared: tuple[int, int, int, int]) -> None:
        """An exception for *call*; the kernel's other architectures' calls are passed over."""
        number = self._library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return
        array = (Compared * len(compared))(*(Compared(*each) for each in compared))
        done = self._library.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(action), number, len(compared), array
        )
        if done:
            raise OSError(-done, os.strerror(-done), call)

    def load(self) -> None:
        done = self._library.seccomp_load(self._context)
        if done:
            raise OSError(-done, os.strerror(-done))


def confine(unit: str, known: dict[str, list[str]]) -> None:
    """Take from this process, for good, what *unit* takes from its service."""
    refused = ERRNO | errno.EPERM
    taken = Filter(ALLOW)
    if settings(unit, "MemoryDenyWriteExecute") == ["yes"]:
        both = WRITE | EXECUTE
        taken.add(refused, "mmap", (2, MASKED, both, both))
        taken.add(refused, "mprotect", (2, MASKED, EXECUTE, EXECUTE))
        taken.add(refused, "pkey_mprotect", (2, MASKED, EXECUTE, EXECUTE))
        taken.add(refused, "shmat", (2, MASKED, SHM_EXECUTE, SHM_EXECUTE))
    (families,) = settings(unit, "RestrictAddressFamilies")
    kept = {int(getattr(socket, name)) for name in families.split()}
    unsupported = ERRNO | errno.EAFNOSUPPORT
    taken.add(unsupported, "socket", (0, ABOVE, FAMILIES, 0))
    for family in {*range(FAMILIES + 1)} - kept:
        taken.add(unsupported, "socket", (0, EQUAL, family, 0))
    taken.load()
    rest = Filter(refused)
    for call in allowed(unit, known):
        rest.add(ALLOW, call)
    rest.load()


if __name__ == "__main__":
    texts = [Path(name).read_text() for name in sys.argv[1:3]]
    confine(texts[0], sets(texts[1]))
    os.execvp(sys.argv[3], sys.argv[3:])
