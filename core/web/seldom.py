"""Says now and then what strangers can make happen as often as they like."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

EVERY = 60.0


class Seldom:
    """Each thing is said once in *every* seconds at most, and how often it was since.

    What is told apart is a closed set: nothing that a stranger may choose. What came last in an
    interval is said with the next one, if there is any; a metric counts each.
    """

    def __init__(self, every: float = EVERY, clock: Callable[[], float] = monotonic) -> None:
        self._every, self._clock = every, clock
        self._said: dict[Hashable, tuple[float, int]] = {}

    def times(self, thing: Hashable) -> int:
        """How often *thing* was since it was last said, this time too; 0: it is not said now."""
        now = self._clock()
        until, unsaid = self._said.get(thing, (now, 0))
        if now < until:
            self._said[thing] = until, unsaid + 1
            return 0
        self._said[thing] = now + self._every, 0
        return unsaid + 1
