"""What the database and the settings say at one instant: plain values, as a scrape shows them.

Instants are seconds since 1970 (UTC); 0 stands for never, +Inf for none ahead. Who adds a room
(see `core.measuring.fleet`) adds what it shows as a field of `Snapshot`, with a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Names:
    """The closed sets that come from the settings.

    *accounts* are pairs (marketplace, account), *acknowledging* those that acknowledge by
    themselves; *operations* and *topics* stand by marketplace,
    topics where there are pushes; *budgets* are the limits that accounts share: marketplace, the
    name to show, the key that nobody is shown.
    """

    accounts: tuple[tuple[str, str], ...] = ()
    acknowledging: tuple[tuple[str, str], ...] = ()
    notifiers: tuple[str, ...] = ()
    operations: tuple[tuple[str, str], ...] = ()
    topics: tuple[tuple[str, str], ...] = ()
    budgets: tuple[tuple[str, str, str], ...] = ()
    routes: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()

    @property
    def marketplaces(self) -> tuple[str, ...]:
        """Each marketplace once."""
        return tuple(dict.fromkeys(marketplace for marketplace, _ in self.accounts))


@dataclass(frozen=True, slots=True)
class Clocks:
    """The running clocks of one account: how many by band, and two instants (+Inf: none)."""

    bands: tuple[int, int, int, int] = (0, 0, 0, 0)
    next_deadline: float = inf
    oldest_unanswered: float = inf


@dataclass(frozen=True, slots=True)
class Counted:
    """The running clocks by account, as they were at an instant; 0: they were not counted yet."""

    clocks: Mapping[str, Clocks] = field(default_factory=dict)
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """How one account is read: the worst of its streams that carry clocks. Instants; 0: never.

    *interval* is the shortest of its streams.
    """

    last_success: float = 0.0
    seen_through: float = 0.0
    interval: float = 0.0
    backoff_until: float = 0.0
    authorized: bool = True
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Outbox:
    """The dispatches of one notifier: not yet sent, since when the oldest waits, given up.

    *muted* are held back by a mute, and not among those that are *pending*. What was never tried
    and has its time to come (a first walk's digest) is *pending*, and is not the *oldest*.
    """

    pending: int = 0
    oldest: float = 0.0
    parked: int = 0
    muted: int = 0


@dataclass(frozen=True, slots=True)
class Pushing:
    """Whether pushes about an account arrive; *last* is the instant of the last, 0: none came.

    *silent*: it is told that they do not.
    """

    last: float = 0.0
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Muting:
    """From when, and until when, an account or a route is muted: instants; 0: it is not."""

    since: float = 0.0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Aside:
    """What of one account is set aside: how many, and when the newest came; 0: none is."""

    n: int = 0
    last: float = 0.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the contracts stood when they were counted last: samples by the name of their family."""

    samples: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the database says at one instant, and of the running clocks what was *counted* last.

    *counts* stand by (clock, result), then by account; *muted* are the mutes that stand by
    (scope, name), the scope ``account`` or ``route``; *sessions* is how many of the board
    were used in the last hour, *claims* how many hold, *climbing* how many escalations run by the
    rungs that were told; *budgets* are instants by the key of a rate
    limit; *pool* is how many connections are idle, are used, and may be open at most.
    """

    counted: Counted = field(default_factory=Counted)
    judgement: Judgement = field(default_factory=Judgement)
    readings: Mapping[str, Reading] = field(default_factory=dict)
    counts: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    outbox: Mapping[str, Outbox] = field(default_factory=dict)
    pushing: Mapping[str, Pushing] = field(default_factory=dict)
    muted: Mapping[tuple[str, str], Muting] = field(default_factory=dict)
    sessions: int = 0
    claims: int = 0
    climbing: Mapping[int, int] = field(default_factory=dict)
    aside: Mapping[str, Aside] = field(default_factory=dict)
    replies: Mapping[str, int] = field(default_factory=dict)
    due: Mapping[str, int] = field(default_factory=dict)
    oldest_due: float = 0.0
    budgets: Mapping[str, float] = field(default_factory=dict)
    leases: int = 0
    workers: int = 0
    pool: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Promised:
    """What the settings promise: constants that rules read instead of holding numbers.

    *objectives* are shares by marketplace; *thresholds* are seconds by (marketplace, band);
    *stale_after* are seconds by account, *expiries* the instants at which its first key ends;
    *workers* are to run on this database.
    """

    objectives: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[tuple[str, str], float] = field(default_factory=dict)
    stale_after: Mapping[str, float] = field(default_factory=dict)
    expiries: Mapping[str, float] = field(default_factory=dict)
    workers: int = 1
