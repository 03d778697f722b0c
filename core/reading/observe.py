"""What a stored page shows in the metrics; a poll and a push count alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sla.steps import CALENDAR_ENDED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.arrival.stored import Stored
    from core.metrics import Metrics
    from core.model import Account, ClockRow
    from core.rules import Rules
    from sla.clock import Clock
    from sla.policy import Policy

    Version = tuple[str, str, int | None]


def page(metrics: Metrics, rules: Rules, account: Account, stored: Stored, where: str) -> None:
    """Count what became of a page; *where* is one of `core.labels.QUARANTINE`."""
    marketplace, name = account.marketplace, account.name
    metrics.messages_stored.labels(marketplace, name, "in").inc(stored.received)
    metrics.messages_stored.labels(marketplace, name, "out").inc(stored.sent)
    metrics.messages_duplicate.labels(marketplace, name).inc(stored.repeated)
    metrics.payloads_quarantined.labels(marketplace, where).inc(len(stored.aside))
    metrics.ingest_delay.labels(marketplace).observe_all(stored.delays)
    replies(metrics, rules, marketplace, stored.replied)
    for outcome in stored.acknowledged:
        acknowledged(metrics, account, outcome)


def acknowledged(metrics: Metrics, account: Account, outcome: str) -> None:
    """Count what became of an acknowledgement: a word of `core.labels.ACKNOWLEDGED`."""
    metrics.acknowledgements.labels(account.marketplace, account.name, outcome).inc()


def replies(metrics: Metrics, rules: Rules, marketplace: str, rows: Sequence[ClockRow]) -> None:
    """Measure the replies that ended *rows*: in real time, and as a share of the time allowed."""
    accounts = {row.account for row in rows}
    promised: dict[Version, Policy] = {
        (account, policy.name, policy.version): policy
        for account in accounts
        for policy in rules.policies.get(account, ())
    }
    for metric in {row.clock.metric for row in rows}:
        ended = [row for row in rows if row.clock.metric == metric]
        taken = [seconds for row in ended if (seconds := _taken(row.clock)) is not None]
        metrics.reply_duration.labels(marketplace, metric).observe_all(taken)
        used = [share for row in ended if (share := _used(promised, row)) is not None]
        metrics.reply_time_used.labels(marketplace, metric).observe_all(used)


def _taken(clock: Clock) -> float | None:
    """The seconds until the reply."""
    if clock.stopped_at is None:
        return None
    return max(0.0, (clock.stopped_at - clock.started_at).total_seconds())


def _used(promised: Mapping[Version, Policy], row: ClockRow) -> float | None:
    """The share of the working time until the deadline that had passed when the reply came."""
    clock = row.clock
    if clock.stopped_at is None:
        return None
    policy = promised.get((row.account, clock.promise, clock.policy_version))
    if policy is None or CALENDAR_ENDED in clock.flags:
        taken, allowed = clock.stopped_at - clock.started_at, clock.due_at - clock.started_at
    else:
        taken = policy.calendar.elapsed(clock.started_at, clock.stopped_at)
        allowed = policy.calendar.elapsed(clock.started_at, clock.due_at)
    return max(0.0, taken / allowed) if allowed else None
