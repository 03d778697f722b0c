"""The `[board]` table: how agents work together on the board, and what it is written in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from core.configuration.sections import Section, Zone
from core.durations import PositiveDuration, write
from core.errors import Unfit

LONGEST_UNDO = timedelta(minutes=5)


def _short(undo: timedelta) -> timedelta:
    if undo > LONGEST_UNDO:
        raise Unfit(f"keeps buyers waiting for nothing; write {write(LONGEST_UNDO)} or less")
    return undo


class Board(Section):
    """How a thread is claimed, how long a reply can be taken back, and how pages are written.

    A claim lasts for *claim_share* of the time that is left, within *claim_least* and
    *claim_most*. The link in a notice, by which it is taken, works for *link_valid*. *language* and
    *zone* are for those who have not chosen their own; without *language* pages are in the one that
    the browser asks for.
    """

    claim_share: float = Field(default=0.25, gt=0, le=1)
    claim_least: PositiveDuration = timedelta(minutes=5)
    claim_most: PositiveDuration = timedelta(hours=4)
    link_valid: PositiveDuration = timedelta(days=7)
    undo_within: Annotated[PositiveDuration, AfterValidator(_short)] = timedelta(seconds=5)
    language: str | None = Field(default=None, pattern="^[a-z]{2,3}(_[A-Z][A-Za-z]+)?$")
    zone: Zone = "UTC"

    @model_validator(mode="after")
    def _in_order(self) -> Board:
        if self.claim_least > self.claim_most:
            raise Unfit(
                "claim_least is longer than claim_most; write the shorter time as claim_least"
            )
        return self
