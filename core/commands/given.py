"""What is given on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click


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
        return at.astimezone(UTC)
