"""How long is kept what nobody needs any more: the table `[retention]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.configuration.sections import Section
from core.durations import PositiveDuration
from core.store.keeping import Cutoffs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from core.configuration.complaints import Complaints, Path

Kind = Literal["raw", "set_aside", "notices"]
LEAST = timedelta(days=1)
TEXTS = timedelta(days=365)
"""So long texts are kept where neither the settings nor the connector say otherwise."""


class Kept(Section):
    """Of one connector's accounts; what is left out is as for all."""

    texts: PositiveDuration | None = None
    raw: PositiveDuration | None = None
    set_aside: PositiveDuration | None = None
    notices: PositiveDuration | None = None


class Retention(Section):
    """*texts* of threads that are over; what was *raw* or *set_aside*; *notices* sent; *links*.

    *audit*: who looked at what, and did what.

    *texts* left out: as long as the connector says. *connectors* holds what differs, by name.
    """

    texts: PositiveDuration | None = None
    raw: PositiveDuration = timedelta(days=30)
    set_aside: PositiveDuration = timedelta(days=90)
    notices: PositiveDuration = timedelta(days=180)
    links: PositiveDuration = timedelta(days=30)
    audit: PositiveDuration = timedelta(days=400)
    connectors: dict[str, Kept] = Field(default_factory=dict)

    def faults(self, known: Collection[str], complaints: Complaints) -> None:
        """Complain of connectors that are none; warn of what is kept for less than a day."""
        _short(self, ("retention",), complaints)
        for name, kept in self.connectors.items():
            _short(kept, ("retention", "connectors", name), complaints)
            if name not in known:
                complaints.unknown(("retention", "connectors", name), "connector", name, known)


def _short(kept: Kept | Retention, path: Path, complaints: Complaints) -> None:
    """Warn of what would go so soon that it looks like a slip; it does not come back."""
    for name in Kept.model_fields:
        span = getattr(kept, name)
        if span is not None and span < LEAST:
            complaints.warn((*path, name), "is below a day, and what went is gone; is 1d meant?")


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long what is kept, of whichever connector; *texts* is what the connectors say."""

    retention: Retention = field(default_factory=Retention)
    texts: Mapping[str, timedelta] = field(default_factory=dict)

    def texts_of(self, connector: str) -> timedelta:
        """How long texts of a thread are kept after its newest message."""
        own = self.retention.connectors.get(connector, Kept()).texts
        return own or self.retention.texts or self.texts.get(connector, TEXTS)

    def before(self, kind: Kind, now: datetime) -> Cutoffs:
        """What of *kind* is older goes: for all, and for the connectors that differ."""
        found = {name: getattr(kept, kind) for name, kept in self.retention.connectors.items()}
        own = {name: now - time for name, time in found.items() if time is not None}
        return Cutoffs(now - getattr(self.retention, kind), tuple(own), tuple(own.values()))
