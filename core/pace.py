"""How fast a notifier may be told, as settings write it: ``30/h``, ``1/s``. Pure.

The promise is that no span of that length sees more than so many. Half of them may leave at once
and the others follow evenly: a generic cell rate algorithm (ITU-T I.371, annex A) whose burst and
emission are chosen so that burst and what follows within the span are never more than was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from core.errors import Unfit

_SPANS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_SHAPE = re.compile(r"([1-9]\d{0,5})/([smhd])")


@dataclass(frozen=True, slots=True)
class Pace:
    """At most *most* within any *span*."""

    most: int
    span: timedelta

    @property
    def burst(self) -> int:
        """How many may leave at once after a long silence."""
        return (self.most + 1) // 2

    @property
    def apart(self) -> timedelta:
        """How far apart those leave that follow."""
        return self.span / (self.most - self.burst + 1)

    def room(self, ahead: timedelta) -> int:
        """How many may leave now, where what has left fills the time until *ahead* of now."""
        return max(0, int((self.burst * self.apart - ahead) / self.apart))

    def wait(self, ahead: timedelta) -> float:
        """Seconds until there is room for one; 0: there is."""
        return max(0.0, (ahead - (self.burst - 1) * self.apart).total_seconds())


def read(value: object) -> Pace:
    """The pace that *value* writes.

    Raises:
        Unfit: it is none; the message says what one looks like.
    """
    if isinstance(value, Pace):
        return value
    found = _SHAPE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Unfit('is no rate; write how many within a second, minute, hour or day, as "30/h"')
    return Pace(int(found[1]), _SPANS[found[2]])


def write(pace: Pace) -> str:
    """*pace* as settings write it."""
    return f"{pace.most}/{next(unit for unit, span in _SPANS.items() if span == pace.span)}"


Rate = Annotated[Pace, BeforeValidator(read), PlainSerializer(write, when_used="json")]
