"""A line of the queue as every view of it is given: a thread with its nearest deadline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.web import pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from core.rules import Rules
    from core.store.board import Line
    from core.web.pages import Audience

UTC = "UTC"


@dataclass(frozen=True, slots=True)
class Place:
    """A seller account as people know it; *zone* is its marketplace's, None where none is known."""

    name: str
    title: str
    marketplace: str
    zone: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A line, where it belongs, and how near its deadline is (one of `core.labels.BANDS`)."""

    line: Line
    place: Place
    band: str
    is_claimed: bool


def place(rules: Rules, name: str) -> Place:
    """The account *name*, by its name alone where it has left the settings."""
    account = rules.accounts.get(name)
    if account is None:
        return Place(name, name, "", None)
    return Place(name, account.title or name, account.marketplace, zone(rules, name))


def zone(rules: Rules, account: str) -> str | None:
    """The zone that a marketplace judges *account* in, or counts its time in; None: no such."""
    policies = rules.policies.get(account, ())
    judged = (contract.zone for policy in policies for contract in policy.judged_by)
    counted = (policy.calendar.zone for policy in policies if policy.role == "contract")
    return next((name for several in (judged, counted) for name in several if name != UTC), None)


def rows(lines: Iterable[Line], rules: Rules, now: datetime) -> list[Row]:
    """*lines* as they are shown at *now*."""
    known: dict[str, Place] = {}
    return [
        Row(
            line,
            known.setdefault(line.account, place(rules, line.account)),
            line.band(now),
            line.claimed_until is not None and now < line.claimed_until,
        )
        for line in lines
    ]


def fragment(lines: Sequence[Line], reader: Audience, rules: Rules, now: datetime) -> str:
    """Table rows for *lines*, as an open queue takes them in: the same for all of one *reader*."""
    return pages.render("queue/lines.html", reader, now, rows=rows(lines, rules, now))


def gone(threads: Iterable[tuple[str, str]], reader: Audience, now: datetime) -> str:
    """Table rows that take these threads, by account and id, out of an open queue."""
    return pages.render("queue/gone.html", reader, now, threads=list(threads))
