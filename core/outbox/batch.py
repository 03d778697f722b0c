"""One notifier's part of a round, and what its loop remembers from round to round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from core.loops import Trouble
from core.store import dispatches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.model import Dispatch, Notice
    from core.notifier import Notifier
    from core.reading.walk import Reader, Round

SECONDS = 30.0
"""In which one attempt must end."""

Takes = Callable[["Dispatch", "datetime"], str | None]
"""Where the reader of a dispatch that leaves at an instant says that they take it; None: nowhere.

What it gives lets whoever holds it act: it goes to that one reader, and is never logged.
"""


def _trouble() -> Trouble:
    return Trouble(begins="notifier fails", ends="notifier delivers again")


@dataclass(slots=True)
class Unsettled:
    """What a notifier's loop remembers from round to round: of what it could not write down.

    *claimed* is perhaps ours, and was not tried; *sent* left at an instant. And its *trouble* while
    it fails, which the log tells once.
    """

    claimed: list[Dispatch] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    trouble: Trouble = field(default_factory=_trouble)


@dataclass(frozen=True, slots=True)
class Sent:
    """*part* left as *notice* at an instant, and that is not written down yet.

    *name* is what the receiver calls the message, where that is needed to close it.
    """

    notice: Notice
    part: Sequence[Dispatch]
    at: datetime
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Outbox:
    """One notifier's part of a round; *readers* by account, for the last look."""

    this: Round
    notifier: Notifier
    readers: Mapping[str, Reader]
    unsettled: Unsettled
    takes: Takes | None = None

    @property
    def name(self) -> str:
        """The notifier's, as the settings call it."""
        return self.notifier.name


def left(began: float) -> float:
    """Seconds in which what was claimed at *began* (monotonic) may still set out.

    An attempt must end within the lease: afterwards another may have claimed it.
    """
    return began + dispatches.LEASE.total_seconds() - SECONDS - monotonic()
