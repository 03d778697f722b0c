"""The contracts of Mirakl's operators, read from ``policies.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from connectors.mirakl import us_holidays
from core.configuration.complaints import nearest
from core.durations import parse
from sla.calendar import Calendar
from sla.contract import Reported
from sla.policy import Contract, Party, Policy, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from connectors.mirakl.options import MiraklOptions

RESPONSE_DELAY = "order_messages_response_delay"
"""The name of the mean in what the operator tells of a shop (A01), in seconds."""

# A fixed range, so that a promise stays the same text from one year to the next.
HOLIDAYS = {"US federal": us_holidays.federal(2020, 2040)}


def of(options: MiraklOptions) -> tuple[Policy, ...]:
    """The contracts that fit an account: its operator's where known, else the default."""
    kinds = [ThreadKind.MESSAGE, *([ThreadKind.INCIDENT] if options.incidents else [])]
    return tuple(policy for kind in kinds for policy in _chosen(options.rules, kind))


def reported(numbers: Mapping[str, tuple[datetime, float]]) -> tuple[Reported, ...]:
    """The operator's own mean time to answer an order's message; it tells no window."""
    if RESPONSE_DELAY not in numbers:
        return ()
    as_of, seconds = numbers[RESPONSE_DELAY]
    return (Reported("mean", seconds, as_of),)


def _chosen(operator: str | None, kind: ThreadKind) -> list[Policy]:
    fitting = [(names, policy) for names, policy in known() if kind in policy.applies_to]
    own = [policy for names, policy in fitting if operator in names]
    return own or [policy for names, policy in fitting if not names]


def findings(options: MiraklOptions) -> tuple[str, ...]:
    """An operator whose terms are not known; nothing where none is named."""
    operators = {name for names, _ in known() for name in names}
    if options.rules is None or options.rules in operators:
        return ()
    hint = nearest(options.rules, operators)
    return (f"operator: unknown operator {options.operator}, the default contract is used; {hint}",)


@cache
def known() -> tuple[tuple[frozenset[str], Policy], ...]:
    """Every contract with the operators that it belongs to; with none it is the default."""
    text = resources.files("connectors.mirakl").joinpath("policies.toml").read_text("utf-8")
    facts = tomllib.loads(text)
    return tuple(
        (frozenset(entry["operators"]), _policy(entry, facts)) for entry in facts["policy"]
    )


def _policy(entry: dict[str, Any], facts: dict[str, Any]) -> Policy:
    return Policy(
        name=entry["name"],
        version=1,
        role="contract",
        applies_to=frozenset(map(ThreadKind, entry["applies_to"])),
        waits_for=frozenset(map(Party, entry["waits_for"])),
        reply_within=parse(entry["reply_within"]),
        calendar=_calendar(entry),
        marketplace_mark=True,
        judged_by=tuple(_contract(one, entry["zone"]) for one in entry.get("judged_by", ())),
        source=entry["source"],
        checked_on=facts["checked_on"],
        review_after=facts["review_after"],
    )


def _calendar(entry: dict[str, Any]) -> Calendar:
    if entry["calendar"] == "always":
        return Calendar.always(entry["zone"])
    return Calendar.clock_hours_without(entry["zone"], holidays=HOLIDAYS[entry["holidays"]])


def _contract(entry: dict[str, Any], zone: str) -> Contract:
    within, limit, alert_from = (
        parse(entry[name]) if name in entry else None for name in ("within", "limit", "alert_from")
    )
    return Contract(
        measure=entry["measure"],
        windows=tuple(map(parse, entry["windows"])),
        zone=zone,
        within=within,
        limit=limit,
        alert_from=alert_from,
        note=entry["note"],
    )
