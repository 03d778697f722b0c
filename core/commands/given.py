"""What is given on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from core.errors import Unfit

DAY = click.DateTime(["%Y-%m-%d"])


class Instant(click.ParamType[datetime]):
    """An instant with its zone."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """*value* as an aware instant in UTC."""
        try:
            at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail("is no instant; write it as 2026-11-21T12:00:00Z", param, ctx)
        if at.tzinfo is None:
            self.fail("has no zone; end it with Z or an offset such as +01:00", param, ctx)
        try:
            return at.astimezone(UTC)
        except OverflowError:
            self.fail("lies beyond all dates; write one of our days", param, ctx)


class DayOrInstant(Instant):
    """A day, or an instant with its zone."""

    name = "day|instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """*value* as a date, or as an aware instant in UTC."""
        if isinstance(value, str) and len(value) == len("2026-11-21"):
            return DAY.convert(value, param, ctx).date()
        return super().convert(value, param, ctx)


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
