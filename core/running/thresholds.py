"""What the settings promise, as numbers for rules: objectives, bands, staleness, keys. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.measuring.facts import Promised
from core.reading import blind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.configuration.configured import Configured
    from sla.policy import Policy

MILLISECONDS = 3
"""Digits of seconds: a share such as 0.8 has no exact number."""


def promised(accounts: Iterable[Configured], now: datetime, workers: int = 1) -> Promised:
    """The constants of all accounts, by the promises in force at *now*, and of *workers*."""
    objectives: dict[str, float] = {}
    bands: dict[tuple[str, str], float] = {}
    stale: dict[str, float] = {}
    expiries: dict[str, float] = {}
    for found in accounts:
        marketplace = found.account.marketplace
        for policy in found.promises:
            if policy.is_in_force(now):
                for share in _objectives(policy):
                    objectives[marketplace] = max(share, objectives.get(marketplace, 0.0))
                for band, left in _bands(policy).items():
                    key = (marketplace, band)
                    bands[key] = max(left, bands.get(key, 0.0))
        name = found.account.name
        stale[name] = stale_after(found, now).total_seconds()
        if found.credentials:
            expiries[name] = min(one.expires_at for one in found.credentials).timestamp()
    return Promised(objectives, bands, stale, expiries, workers)


def _objectives(policy: Policy) -> list[float]:
    return [c.objective for c in policy.judged_by if c.measure == "share" and c.objective]


def _bands(policy: Policy) -> dict[str, float]:
    """The working time left, in seconds, at the first and at the last warning, and at the end."""
    left = sorted((_left(warning, policy.reply_within) for warning in policy.warn), reverse=True)
    found = {"breached": 0.0}
    if left:
        found["warning"] = left[0]
    if len(left) > 1:
        found["critical"] = left[-1]
    return found


def _left(warning: float | timedelta, allowed: timedelta) -> float:
    if isinstance(warning, timedelta):
        return min(warning, allowed).total_seconds()
    return round((1 - warning) * allowed.total_seconds(), MILLISECONDS)


def stale_after(found: Configured, now: datetime) -> timedelta:
    """The age of a reading that is blindness, of the account's least patient stream."""
    promise = blind.shortest(found.promises, now)
    limits = [blind.limit(s.every, s.every, promise) for s in found.streams if s.carries_clocks]
    return min(limits, default=timedelta(0))
