"""What Amazon asks of a seller, read from ``policies.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from core.durations import parse
from sla.calendar import Calendar
from sla.policy import Contract, Party, Policy, ThreadKind

if TYPE_CHECKING:
    from datetime import date, timedelta

    from connectors.amazon.options import AmazonOptions

ZONE = "UTC"
"""The 24 hours are elapsed time: no zone, no business hours, no holidays (trap 12)."""


@dataclass(frozen=True, slots=True)
class Number:
    """How long Amazon's pages give for a letter of this *kind* that says nothing itself."""

    kind: ThreadKind
    within: timedelta
    source: str
    checked_on: date


def of(options: AmazonOptions) -> tuple[Policy, ...]:
    """The contracts of an account: those of messages, and of returns where they are read."""
    kinds = {ThreadKind.MESSAGE, *([ThreadKind.RETURN] if options.returns else [])}
    return tuple(policy for policy in known() if policy.applies_to <= kinds)


@cache
def known() -> tuple[Policy, ...]:
    """Every contract.

    Amazon has a mark of its own ("no response needed") that nobody but Amazon sees: an agent's
    click here does not void the contract of messages, only his word that he set theirs does. The
    recommendation for returns has no such mark.
    """
    facts = _facts()
    return tuple(_policy(entry, facts) for entry in facts["policy"])


@cache
def numbers() -> dict[ThreadKind, Number]:
    """The published numbers that stand in where a letter names no deadline."""
    facts = _facts()
    found = (
        Number(ThreadKind(one["kind"]), parse(one["within"]), one["source"], facts["checked_on"])
        for one in facts["given"]
    )
    return {number.kind: number for number in found}


def _facts() -> dict[str, Any]:
    text = resources.files("connectors.amazon").joinpath("policies.toml").read_text("utf-8")
    return tomllib.loads(text)


def _policy(entry: dict[str, Any], facts: dict[str, Any]) -> Policy:
    kinds = frozenset(map(ThreadKind, entry["applies_to"]))
    return Policy(
        name=entry["name"],
        version=1,
        role="contract",
        applies_to=kinds,
        waits_for=frozenset({Party.BUYER}),
        reply_within=parse(entry["reply_within"]),
        calendar=Calendar.always(ZONE),
        warn=tuple(map(parse, entry["warn"])),
        marketplace_mark=ThreadKind.MESSAGE in kinds,
        judged_by=tuple(map(_contract, entry["judged_by"])),
        source=entry["source"],
        checked_on=facts["checked_on"],
        review_after=facts["review_after"],
    )


def _contract(entry: dict[str, Any]) -> Contract:
    return Contract(
        measure=entry["measure"],
        windows=tuple(map(parse, entry["windows"])),
        zone=ZONE,
        objective=entry.get("objective"),
        within=parse(entry["within"]),
        note=entry["note"],
    )
