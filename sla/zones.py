"""Time zones from the pinned `tzdata` distribution only: the same answer on every machine."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


class UnknownZoneError(ValueError):
    """A zone that the pinned tzdata does not hold; the text names it and one that is near."""


def names() -> frozenset[str]:
    """Every zone of the pinned tzdata."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """The zone called *name*, such as ``Europe/Berlin``; never the system's own copy.

    Raises:
        UnknownZoneError: tzdata has no such zone.
    """
    if not _NAME.fullmatch(name):
        raise UnknownZoneError(_complaint(name))
    try:
        with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError) as fault:
        raise UnknownZoneError(_complaint(name)) from fault


def _complaint(name: str) -> str:
    near = get_close_matches(name, names(), n=1)
    hint = f"; did you mean {near[0]}?" if near else "; write it like Europe/Berlin"
    return f"unknown time zone {name!r}{hint}"
