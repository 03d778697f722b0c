"""Who runs a command: whoever may on this machine, by the name that it knows them by."""

from __future__ import annotations

import getpass

from core.access import Role, Who


def name() -> str:
    """The user of this machine, as others see it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return "unknown"


def who() -> Who:
    """They may do whatever the program can: they may read its database."""
    return Who(name(), Role.ADMIN, means="cli")
