"""Expressions that hold for several processes, for hidden accounts, for instants that are +Inf.

What is read from the database is the same from each process: `most`, `least` take one of them
before anything is added up. What a process did is added up: `pace`.
"""

from __future__ import annotations

ACCOUNT = "marketplace, account"
SCOPES = {
    "account": 'job=~"$job",marketplace=~"$marketplace",account=~"$account"',
    "counted": 'job=~"$job",marketplace=~"$marketplace",account=~"$account|"',
    "marketplace": 'job=~"$job",marketplace=~"$marketplace"',
    "fleet": 'job=~"$job"',
    "process": 'job=~"$job",instance=~"$instance"',
}
"""Matchers by what a metric is about; ``counted``: a process's counter, whose account may be empty
where there are many accounts, and is then shown for all of its marketplace."""


def of(metric: str, scope: str, *more: str) -> str:
    """The series of *metric* that the dashboard's variables choose."""
    return f"{metric}{{{','.join((SCOPES[scope], *more))}}}"


def most(metric: str, *more: str, by: str = ACCOUNT, scope: str = "account") -> str:
    """What the database says, once: the same from each process, the newest where they differ."""
    return _one("max", of(metric, scope, *more), by)


def least(metric: str, *more: str, by: str = ACCOUNT, scope: str = "account") -> str:
    """What the database says, once: the earliest instant, the worst where processes differ."""
    return _one("min", of(metric, scope, *more), by)


def oldest(metric: str, *, by: str = "", scope: str = "account") -> str:
    """The earliest instant, where 0 stands for "none": one process's 0 hides no other's."""
    return _one("min", f"{of(metric, scope)} > 0", by)


def _one(how: str, series: str, by: str) -> str:
    return f"{how} by ({by}) ({series})" if by else f"{how}({series})"


def left(instant: str) -> str:
    """Seconds until an instant; nothing for +Inf, which stands for "none ahead"."""
    return f"({instant} < Inf) - time()"


def age(instant: str) -> str:
    """Seconds since an instant; nothing for 0, which stands for "never".

    Never below 0: a sample bears the time at which its scrape began, and may tell of later.
    """
    return f"clamp_min(time() - ({instant} > 0 < Inf), 0)"


def how_many(wanted: str, among: str) -> str:
    """How many series fulfil a condition; 0 where none of *among* does, nothing where none is told.

    `or vector(0)` would say that all is well while no process lives.
    """
    return f"count({wanted}) or 0 * count({among})"


def or_none(value: str, told: str) -> str:
    """The value; 0 where there is none although *told*, of which it is made, is there."""
    return f"{value} or 0 * {told}"


def pace(metric: str, *more: str, by: str, scope: str = "counted") -> str:
    """How often a minute, over all processes."""
    grouped = f"sum by ({by})" if by else "sum"
    return f"60 * {grouped} (rate({of(metric, scope, *more)}[$__rate_interval]))"


def quantile(
    share: float, metric: str, *more: str, by: str = "", scope: str = "marketplace"
) -> str:
    """A quantile of a process's histogram, over all processes; nothing where none was counted."""
    buckets = of(f"{metric}_bucket", scope, *more)
    groups = f"le, {by}" if by else "le"
    inner = f"sum by ({groups}) (rate({buckets}[$__rate_interval]))"
    return f"histogram_quantile({share}, {inner}) >= 0"


def became(metric: str, *more: str, by: str, window: str = "$__rate_interval") -> str:
    """How many in *window* by a durable counter: exact, over restarts and with several processes.

    Such a counter comes from the database, never goes down and is the same from every process, so
    the window's highest value minus its lowest is the number itself. `increase` would extrapolate
    (3.06 breaches), and miss what fell between two processes that came and went. Of days each
    stands at its own midnight, and the last one is today so far.
    """
    series = of(metric, "account", *more)
    key = f"{ACCOUNT}, clock, result" if metric == "replyby_clocks_closed_total" else ACCOUNT
    if "_clocks_" in metric and metric != "replyby_clocks_closed_total":
        key = f"{ACCOUNT}, clock"
    ahead = f" offset -{window}" if window == "1d" else ""
    high = f"max by ({key}) (max_over_time({series}[{window}]{ahead}))"
    low = f"min by ({key}) (min_over_time({series}[{window}]{ahead}))"
    outer = f"sum by ({by})" if by else "sum"
    return f"{outer} ({high} - {low})"
