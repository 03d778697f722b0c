"""Of all slots that wait for something to read, one looks; the others would ask the same.

Who looked last and found nothing sleeps until it is to look again. Whoever finds something wakes
the others before it reads, and one of them looks on. A ring of the bell makes one of them look too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from core.loops import Bell

LONGEST = timedelta(seconds=5)
"""Between two looks at most, though whoever brings something to read rings the bell."""


class Lookout:
    """Says which slot looks, and when; *bell* wakes all of them."""

    def __init__(self, bell: Bell) -> None:
        self._wanted = bell.ear()
        self._wanted.set()
        self._next: datetime | None = None

    def is_on(self, now: datetime) -> bool:
        """Whether the slot that turns *now* is to look; no other does so until it `ends`.

        What is further off than it ever is asked for was asked by a clock that has gone back since.
        """
        left = self._next - now if self._next is not None else None
        due = left is not None and not timedelta(0) < left <= LONGEST
        if not due and not self._wanted.is_set():
            return False
        self._wanted.clear()
        self._next = None
        return True

    @property
    def next_turn(self) -> datetime | None:
        """When a slot is to look again, for all that rest; None while one looks.

        Whoever was to look then may have been woken too early by the bell, and found that another
        looks: if none but him knew the instant, nobody would look at it.
        """
        return self._next

    def ends(self, now: datetime, again: datetime) -> datetime:
        """The look of *now* has ended, the next is wanted at *again*: when its slot looks next."""
        soon = min(again, now + LONGEST)
        self._next = soon if self._next is None else min(self._next, soon)
        return soon

    def fails(self) -> None:
        """The look broke off: whoever turns next looks."""
        self._wanted.set()
