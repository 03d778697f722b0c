"""What is given on the command line."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

import click

from core.errors import Unfit

DAY = "2026-11-21"
INSTANT = f"{DAY}T12:00:00Z"
MOST_NUMBER = 2**63 - 1
"""The database numbers no further."""


def _day(text: str) -> date | None:
    """The day that *text* writes; None where it is none."""
    with suppress(ValueError):
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    return None


class Day(click.ParamType[date]):
    """A day."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """*value* as a date."""
        found = value if isinstance(value, date) else _day(value)
        if found is None:
            self.fail(f"is no day; write it as {DAY}", param, ctx)
        return found


class Number(click.ParamType[int]):
    """The number of something that is listed."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """*value* as a number that there may be."""
        found = value
        if isinstance(value, str):
            found = int(value) if re.fullmatch(r"[0-9]{1,19}", value) else None
        if found is None or not 0 <= found <= MOST_NUMBER:
            self.fail("is none of the numbers in the list; copy one from there", param, ctx)
        return int(found)


class Instant(click.ParamType[datetime]):
    """An instant with its zone."""

    name = "instant"
    mend: ClassVar[str] = f"is no instant; write it as {INSTANT}"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """*value* as an aware instant in UTC."""
        try:
            at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(self.mend, param, ctx)
        if at.tzinfo is None:
            self.fail("has no zone; end it with Z or an offset such as +01:00", param, ctx)
        try:
            return at.astimezone(UTC)
        except OverflowError:
            self.fail("lies beyond all dates; write one of our days", param, ctx)


class DayOrInstant(Instant):
    """A day, or an instant with its zone."""

    name = "day|instant"
    mend = f"is no day and no instant; write it as {DAY} or {INSTANT}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """*value* as a date, or as an aware instant in UTC."""
        found = _day(value) if isinstance(value, str) else None
        return found or super().convert(value, param, ctx)


class DayInUtc(DayOrInstant):
    """An instant with its zone, or a day: its midnight in UTC."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """*value* as an aware instant in UTC."""
        found = super().convert(value, param, ctx)
        return found if isinstance(found, datetime) else datetime.combine(found, time(), UTC)


class Duration(click.ParamType[timedelta]):
    """A duration as settings write it."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """*value*, longer than nothing."""
        from core import durations  # noqa: PLC0415  # who asks for help alone needs none of it

        try:
            found = value if isinstance(value, timedelta) else durations.parse(value)
        except Unfit as fault:
            self.fail(str(fault), param, ctx)
        if found <= timedelta(0):
            self.fail("must be longer than nothing; write a duration such as 30m", param, ctx)
        return found


class Until(click.ParamType["datetime | timedelta"]):
    """When something ends: an instant with its zone, or a duration from now."""

    name = "instant|duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | timedelta:
        """*value* as an aware instant in UTC, or as a duration."""
        if isinstance(value, timedelta):
            return value
        if isinstance(value, str) and "-" not in value:
            return Duration().convert(value, param, ctx)
        return Instant().convert(value, param, ctx)
