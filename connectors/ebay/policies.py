"""What a seller at eBay is to keep, read from ``policies.toml``: fallbacks, and a goal of ours."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from connectors.ebay.sites import SITES
from core.durations import parse
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from connectors.ebay.options import EbayOptions
    from sla.policy import Role


def of(options: EbayOptions) -> tuple[Policy, ...]:
    """The contracts of an account: those of its site."""
    return at(options.marketplace)


@cache
def at(marketplace: str) -> tuple[Policy, ...]:
    """The contracts of a site: while eBay tells a date of its own, that takes their place."""
    label, facts = marketplace.lower().replace("_", "-"), _facts()
    calendars = {
        "business": Calendar.clock_hours_without(SITES[marketplace].zone),
        "calendar": Calendar.always(SITES[marketplace].zone),
    }
    return tuple(
        _policy(entry, facts, f"{label}-{entry['kind']}", "contract", calendars[entry["days"]])
        for entry in facts["policy"]
    )


def goals(_: EbayOptions) -> tuple[Policy, ...]:
    """Our own promise for plain messages: eBay makes none."""
    return own()


@cache
def own() -> tuple[Policy, ...]:
    """Every goal of ours, round the clock."""
    facts = _facts()
    return tuple(
        _policy(entry, facts, entry["name"], "goal", Calendar.always()) for entry in facts["goal"]
    )


@cache
def _facts() -> dict[str, Any]:
    text = resources.files("connectors.ebay").joinpath("policies.toml").read_text("utf-8")
    return tomllib.loads(text)


def _policy(
    entry: dict[str, Any], facts: dict[str, Any], name: str, role: Role, calendar: Calendar
) -> Policy:
    return Policy(
        name=name,
        version=1,
        role=role,
        applies_to=frozenset({ThreadKind(entry["kind"])}),
        waits_for=frozenset({Party.BUYER}),
        reply_within=parse(entry["reply_within"]),
        calendar=calendar,
        source=entry["source"],
        checked_on=facts["checked_on"],
        review_after=facts["review_after"],
    )
