"""Durations as settings write them: ``24h``, ``2m``, ``90s``, ``1d12h``; nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from core.errors import Unfit

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DIGITS = {"d": 5, "h": 6, "m": 7, "s": 9}
_SHAPE = re.compile("".join(rf"(?:(\d{{1,{most}}}){unit})?" for unit, most in _DIGITS.items()))
_ANY_LENGTH = re.compile(r"(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?")
_LONGEST = ", ".join("9" * most + unit for unit, most in _DIGITS.items())


def parse(text: str) -> timedelta:
    """The duration that *text* writes.

    Raises:
        Unfit: it is no duration, or too long; the message says what one looks like.
    """
    found = _SHAPE.fullmatch(text.strip()) if text.strip() else None
    if found is None and text.strip() and _ANY_LENGTH.fullmatch(text.strip()):
        raise Unfit(f"is too long; write no more than {_LONGEST}")
    if found is None:
        raise Unfit("is no duration; write a number and a unit, such as 24h, 90m, 30s or 2d")
    amounts = zip(_UNITS.values(), found.groups(), strict=True)
    return timedelta(seconds=sum(unit * int(n) for unit, n in amounts if n is not None))


def write(span: timedelta) -> str:
    """*span* as settings write it; parts of a second are dropped."""
    left = int(abs(span).total_seconds())
    parts = []
    for unit, size in _UNITS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _read(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise Unfit("is no duration; write it in quotes with a unit, such as 24h or 90s")
    return parse(value)


def _positive(span: timedelta) -> timedelta:
    if span <= timedelta(0):
        raise Unfit("must be longer than nothing; write a duration such as 30s")
    return span


Duration = Annotated[timedelta, BeforeValidator(_read), PlainSerializer(write, when_used="json")]
PositiveDuration = Annotated[
    timedelta,
    BeforeValidator(lambda value: _positive(_read(value))),
    PlainSerializer(write, when_used="json"),
]
