"""What a page, and a profile that hangs on one, says in the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import model_validator

from connectors.webstore.meta.options import MetaOptions, Number
from core.durations import Duration, PositiveDuration  # noqa: TC001  # pydantic reads them
from core.errors import Unfit

FLOOR = timedelta(minutes=1)
"""How often conversations are read at most: calls are limited by how many people a page reaches."""


class PageOptions(MetaOptions):
    """One page. *human_agent*: Meta has allowed the app to answer for 7 days by that tag.

    *look_back* is how far the first walk reads, *overlap* how far each later one reads again.
    """

    page_id: Number
    human_agent: bool = False
    poll_every: PositiveDuration = timedelta(minutes=5)
    look_back: PositiveDuration = timedelta(days=30)
    overlap: Duration = timedelta(minutes=10)

    @model_validator(mode="after")
    def _is_not_too_eager(self) -> Self:
        if self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 1m, too often for Meta; write 5m")
        return self

    @property
    def own_id(self) -> str:
        """What the seller is called in pushes and conversations."""
        return self.page_id


def identity(options: PageOptions) -> str:
    """Which page, or which profile, this is."""
    return f"{options.api} {options.own_id}"
