"""The `[board]` table: how agents work together on the board, and what it is written in."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from core.configuration.sections import Section, Zone
from core.durations import PositiveDuration, write
from core.errors import Unfit

LONGEST_UNDO = timedelta(minutes=5)
SOURCE = "en"
"""The language that pages are written in where they are not translated."""


def _short(undo: timedelta) -> timedelta:
    if undo > LONGEST_UNDO:
        raise Unfit(f"keeps buyers waiting for nothing; write {write(LONGEST_UNDO)} or less")
    return undo


def languages() -> list[str]:
    """The languages that pages are written in, by their codes."""
    folder = resources.files("core").joinpath("web", "locale")
    return sorted({SOURCE, *(one.name for one in folder.iterdir() if one.is_dir())})


def _written(language: str) -> str:
    if language not in languages():
        raise Unfit(f"is no language of the pages; choose one of {', '.join(languages())}")
    return language


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
    language: Annotated[str, AfterValidator(_written)] | None = None
    zone: Zone = "UTC"

    @model_validator(mode="after")
    def _in_order(self) -> Board:
        if self.claim_least > self.claim_most:
            raise Unfit(
                "claim_least is longer than claim_most; write the shorter time as claim_least"
            )
        return self
