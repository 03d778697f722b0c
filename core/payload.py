"""What the models of a marketplace's payloads are made of. Pure.

The common schema (`core.model`) refuses what it does not know; what arrives is never refused for
having grown.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

T = TypeVar("T")


def _exact(value: object) -> object:
    """*value* unless it is a number with a point: two readers would write it as two ids."""
    if type(value) is float:
        raise ValueError("no id")
    return value


EXACT = BeforeValidator(_exact)
"""Refuses an id that is a number with a point."""

NUL_FREE = r"^[^\x00]+$"
"""By pydantic's own regular expressions, where a NUL or a lone surrogate is no match."""

Id = Annotated[str, Field(max_length=1000, pattern=NUL_FREE), EXACT]
"""An id that core can keep."""

# Null is the same as left out.
Many = list[T] | None
Word = str | None


class Payload(BaseModel):
    """What arrives: lenient, frozen, and silent about its values in errors.

    A marketplace whose ids come as numbers, or whose names are written otherwise than ours, says so
    in a `model_config` of its own, which is added to this one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


def instant(value: object) -> datetime | None:
    """An ISO 8601 date-time as an instant, UTC where it names no zone; None when it is none."""
    if not isinstance(value, str) or "T" not in value:
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
