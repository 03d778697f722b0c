"""The metrics that are read from the database at a scrape, and their own small writer.

Every process shows the same numbers here: rules take `max by`, never `sum`. The running clocks are
shown as they were counted last, with the instant of that: their bands hold for it. With a lost
database only `replyby_database_up 0` is left of all this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from core import labels
from core.instruments import AccountGauge, Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from core.metrics import Names

    Sample = tuple[str, float]
    Families = Iterator[tuple[Family, Iterable[Sample]]]

ACCOUNT = ("marketplace", "account")
CLOCK = (*ACCOUNT, "clock")
POOL = ("idle", "used")
REPLIES = ("queued", "sending", "unknown")


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
    """The dispatches of one notifier: not yet sent, since when the oldest waits, given up."""

    pending: int = 0
    oldest: float = 0.0
    parked: int = 0


@dataclass(frozen=True, slots=True)
class Pushing:
    """Whether pushes about an account arrive; *last* is the instant of the last, 0: none came.

    *silent*: it is told that they do not.
    """

    last: float = 0.0
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the database says at one instant, and of the running clocks what was *counted* last.

    *counts* stand by (account, clock, result); *budgets* are instants by the key of a rate limit;
    *pool* is how many connections are idle, are used, and may be open at most.
    """

    counted: Counted = field(default_factory=Counted)
    readings: Mapping[str, Reading] = field(default_factory=dict)
    counts: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    outbox: Mapping[str, Outbox] = field(default_factory=dict)
    pushing: Mapping[str, Pushing] = field(default_factory=dict)
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
    *stale_after* are seconds by account, *expiries* the instants at which its first key ends.
    """

    objectives: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[tuple[str, str], float] = field(default_factory=dict)
    stale_after: Mapping[str, float] = field(default_factory=dict)
    expiries: Mapping[str, float] = field(default_factory=dict)


def _family(name: str, kind: str, names: Sequence[str], text: str) -> Family:
    return Family(f"replyby_{name}", kind, tuple(names), text)


OPEN = _family("open_clocks", "gauge", (*ACCOUNT, "band"), "Reply clocks that run, by risk.")
NEXT = _family(
    "next_deadline_timestamp_seconds", "gauge", ACCOUNT,
    "The earliest deadline among running clocks; +Inf when none runs.",
)  # fmt: skip
OLDEST = _family(
    "oldest_unanswered_timestamp_seconds", "gauge", ACCOUNT,
    "The oldest buyer's message without a reply; +Inf when there is none.",
)  # fmt: skip
COUNTED = _family(
    "open_clocks_counted_timestamp_seconds", "gauge", (),
    "When the running clocks were last counted; 0: not yet.",
)  # fmt: skip
STARTED = _family("clocks_started_total", "counter", CLOCK, "Clocks that started.")
CLOSED = _family(
    "clocks_closed_total", "counter", (*CLOCK, "result"),
    "Clocks answered in time, deadlines that passed unanswered, clocks that needed no reply.",
)  # fmt: skip
LATE = _family("replies_late_total", "counter", ACCOUNT, "Replies after the deadline.")
CORRECTED = _family("clocks_corrected_total", "counter", CLOCK, "Counted breaches taken back.")
REOPENED = _family(
    "clocks_reopened_total", "counter", CLOCK, "Clocks that ended and run again."
)  # fmt: skip
HISTORY = _family(
    "clocks_history_total", "counter", CLOCK, "Clocks due before the account was watched."
)
OBJECTIVE = _family(
    "slo_objective_ratio", "gauge", ("marketplace",),
    "The share of replies in time that the marketplace asks for, the strictest of its contracts.",
)  # fmt: skip
THRESHOLD = _family(
    "risk_threshold_seconds", "gauge", ("marketplace", "band"),
    "The most working time left at which a clock enters the band.",
)  # fmt: skip
SUCCESS = _family(
    "poll_last_success_timestamp_seconds", "gauge", ACCOUNT,
    "When the account was last read without fault; 0: never.",
)  # fmt: skip
SEEN = _family(
    "seen_through_timestamp_seconds", "gauge", ACCOUNT,
    "The begin of the last complete walk: what was written before it has been seen; 0: never.",
)  # fmt: skip
STALE = _family(
    "poll_stale_after_seconds", "gauge", ACCOUNT,
    "The age of a reading that is blindness, the shortest of the account's streams.",
)  # fmt: skip
INTERVAL = _family(
    "poll_interval_seconds", "gauge", ACCOUNT,
    "The interval of polls in force, the shortest of the account's streams.",
)  # fmt: skip
AUTHORIZED = _family(
    "account_authorized", "gauge", ACCOUNT, "1 while the marketplace accepts the key."
)
EXPIRY = _family(
    "credential_expiry_timestamp_seconds", "gauge", ACCOUNT,
    "When the account's first key ends by itself; +Inf where nobody knows.",
)  # fmt: skip
ENABLED = _family("account_enabled", "gauge", ACCOUNT, "1 while the account is read.")
BACKOFF = _family(
    "account_backoff_until_timestamp_seconds", "gauge", ACCOUNT,
    "Until when the account is left alone after failures; 0: it is not.",
)  # fmt: skip
BUDGET = _family(
    "rate_budget_until_timestamp_seconds", "gauge", ("marketplace", "budget"),
    "Until when the marketplace asked to wait, under a limit that accounts share; 0: it did not.",
)  # fmt: skip
PUSHED = _family(
    "push_last_received_timestamp_seconds", "gauge", ACCOUNT,
    "When a push about the account was last stored; 0: never.",
)  # fmt: skip
SILENT = _family(
    "push_silent", "gauge", ACCOUNT, "1 while it is told that no pushes about the account arrive."
)
OLDEST_DUE = _family(
    "poll_queue_oldest_due_timestamp_seconds", "gauge", (),
    "Since when the longest-waiting due poll waits; 0: none waits.",
)  # fmt: skip
DUE = _family("poll_queue_due_targets", "gauge", ("marketplace",), "Streams due and not claimed.")
LEASES = _family("leases_held", "gauge", (), "Streams that workers are reading.")
WORKERS = _family("workers", "gauge", (), "Processes that hold their lock in the database.")
DATABASE = _family("database_up", "gauge", (), "1 when the database answered this scrape.")
CONNECTIONS = _family(
    "database_pool_connections", "gauge", ("state",), "This process's connections by state."
)
MOST_CONNECTIONS = _family(
    "database_pool_connections_max", "gauge", (), "As many connections this process may open."
)
PENDING = _family("notifications_pending", "gauge", ("notifier",), "Notices not yet sent.")
PENDING_SINCE = _family(
    "notification_oldest_pending_timestamp_seconds", "gauge", ("notifier",),
    "Since when the oldest notice waits to be sent; 0: none waits.",
)  # fmt: skip
PARKED = _family(
    "notifications_parked", "gauge", ("notifier",), "Notices given up: replyby notices list."
)
OPEN_REPLIES = _family("replies_open", "gauge", ("state",), "Our replies that are not settled.")

FAMILIES = (
    OPEN, NEXT, OLDEST, COUNTED, STARTED, CLOSED, LATE, CORRECTED, REOPENED, HISTORY, OBJECTIVE,
    THRESHOLD, EXPIRY, SUCCESS, SEEN, STALE, INTERVAL, AUTHORIZED, ENABLED, BACKOFF, BUDGET, PUSHED,
    SILENT, OLDEST_DUE, DUE, LEASES, WORKERS, DATABASE, CONNECTIONS, MOST_CONNECTIONS, PENDING,
    PENDING_SINCE, PARKED, OPEN_REPLIES,
)  # fmt: skip


def write(
    names: Names,
    promised: Promised,
    gauges: Iterable[AccountGauge],
    snapshot: Snapshot | None,
    *,
    open_metrics: bool,
) -> str:
    """The exposition of what is stored; a *snapshot* of None says that the database is away."""
    places = {account: _labels(ACCOUNT, (m, account)) for m, account in names.accounts}
    families = [
        *_constant(promised, places, gauges),
        (DATABASE, [("", float(snapshot is not None))]),
    ]
    if snapshot is not None:
        families += [
            *_running(snapshot.counted, places),
            *_accounts(snapshot, places),
            *_pushes(snapshot, places),
            *_counted(snapshot, places),
            *_engine(snapshot, names),
            *_outbox(snapshot, names),
        ]
    return "".join(
        line for family, samples in families for line in _lines(family, samples, open_metrics)
    )


def _constant(
    promised: Promised, places: Mapping[str, str], gauges: Iterable[AccountGauge]
) -> Families:
    yield (
        OBJECTIVE,
        [(_labels(("marketplace",), (m,)), share) for m, share in promised.objectives.items()],
    )
    yield (
        THRESHOLD,
        [
            (_labels(("marketplace", "band"), key), span)
            for key, span in promised.thresholds.items()
        ],
    )
    stale = promised.stale_after
    yield STALE, [(place, stale.get(account, 0.0)) for account, place in places.items()]
    yield EXPIRY, [(place, promised.expiries.get(a, inf)) for a, place in places.items()]
    for gauge in gauges:
        yield gauge.family, [(place, gauge.get(a)) for a, place in places.items()]


def _running(counted: Counted, places: Mapping[str, str]) -> Families:
    """Nothing of clocks that were never counted: a 0 would be a lie."""
    none, known = Clocks(), places.items() if counted.at else ()
    clocks = [(place, counted.clocks.get(a, none)) for a, place in known]
    yield COUNTED, [("", counted.at)]
    yield (
        OPEN,
        [
            (f'{place},band="{band}"', count)
            for place, found in clocks
            for band, count in zip(labels.BANDS, found.bands, strict=True)
        ],
    )
    yield NEXT, [(place, found.next_deadline) for place, found in clocks]
    yield OLDEST, [(place, found.oldest_unanswered) for place, found in clocks]


def _accounts(snapshot: Snapshot, places: Mapping[str, str]) -> Families:
    unread = Reading()
    readings = [(place, snapshot.readings.get(a, unread)) for a, place in places.items()]
    yield SUCCESS, [(place, found.last_success) for place, found in readings]
    yield SEEN, [(place, found.seen_through) for place, found in readings]
    yield INTERVAL, [(place, found.interval) for place, found in readings]
    yield AUTHORIZED, [(place, float(found.authorized)) for place, found in readings]
    yield ENABLED, [(place, float(not found.retired)) for place, found in readings]
    yield BACKOFF, [(place, found.backoff_until) for place, found in readings]


def _pushes(snapshot: Snapshot, places: Mapping[str, str]) -> Families:
    none = Pushing()
    found = [(place, snapshot.pushing.get(a, none)) for a, place in places.items()]
    yield PUSHED, [(place, of.last) for place, of in found]
    yield SILENT, [(place, float(of.silent)) for place, of in found]


def _counted(snapshot: Snapshot, places: Mapping[str, str]) -> Families:
    """What became of clocks: from the tally, every combination at 0 from the start."""
    kinds = [
        (account, clock, f'{place},clock="{clock}"')
        for account, place in places.items()
        for clock in labels.CLOCKS
    ]
    counts = snapshot.counts
    plain = (
        (STARTED, "started"), (CORRECTED, "corrected"), (REOPENED, "reopened"),
        (HISTORY, "history"),
    )  # fmt: skip
    for family, result in plain:
        yield family, [(text, counts.get((a, clock, result), 0)) for a, clock, text in kinds]
    yield (
        CLOSED,
        [
            (f'{text},result="{result}"', counts.get((a, clock, result), 0))
            for a, clock, text in kinds
            for result in labels.CLOSED
        ],
    )
    yield (
        LATE,
        [
            (place, sum(counts.get((a, clock, "late"), 0) for clock in labels.CLOCKS))
            for a, place in places.items()
        ],
    )


def _engine(snapshot: Snapshot, names: Names) -> Families:
    yield OLDEST_DUE, [("", snapshot.oldest_due)]
    yield (
        DUE,
        [(_labels(("marketplace",), (m,)), snapshot.due.get(m, 0)) for m in names.marketplaces],
    )
    yield (
        BUDGET,
        [
            (_labels(("marketplace", "budget"), (of, name)), snapshot.budgets.get(key, 0.0))
            for of, name, key in names.budgets
        ],
    )
    yield LEASES, [("", snapshot.leases)]
    yield WORKERS, [("", snapshot.workers)]
    yield (
        CONNECTIONS,
        [(f'state="{s}"', count) for s, count in zip(POOL, snapshot.pool[:2], strict=True)],
    )
    yield MOST_CONNECTIONS, [("", snapshot.pool[2])]
    yield OPEN_REPLIES, [(f'state="{s}"', snapshot.replies.get(s, 0)) for s in REPLIES]


def _outbox(snapshot: Snapshot, names: Names) -> Families:
    empty = Outbox()
    found = [
        (_labels(("notifier",), (name,)), snapshot.outbox.get(name, empty))
        for name in names.notifiers
    ]
    yield PENDING, [(text, outbox.pending) for text, outbox in found]
    yield PENDING_SINCE, [(text, outbox.oldest) for text, outbox in found]
    yield PARKED, [(text, outbox.parked) for text, outbox in found]


def _lines(family: Family, samples: Iterable[Sample], open_metrics: bool) -> Iterator[str]:  # noqa: FBT001  # private, one caller
    name = family.name.removesuffix("_total") if open_metrics else family.name
    yield f"# HELP {name} {family.text}\n# TYPE {name} {family.kind}\n"
    shown = family.name
    for text, value in samples:
        yield f"{shown}{{{text}}} {_number(value)}\n" if text else f"{shown} {_number(value)}\n"


def _number(value: float) -> str:
    return "+Inf" if value == inf else repr(float(value))


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    pairs = zip(names, values, strict=True)
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
