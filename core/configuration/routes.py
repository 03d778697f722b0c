"""Routes from settings: built, and what their conditions name is looked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.configuration.telling import RouteSection
from core.routing import Route

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from core.configuration.complaints import Complaints
    from core.configuration.configured import Configured
    from core.configuration.people import Tellings
    from core.routing import Routing
    from sla.policy import Policy

NARROWING = ("marketplaces", "accounts", "languages", "policies", "steps")
"""Conditions that a fallback has none of: it takes what every other route leaves."""
ONLY_IN_PART = (
    "narrows a fallback, which is to take whatever no other route takes; "
    "leave this out, or write a route of its own with it"
)
GIVEN = "given"


def build(
    tables: Mapping[str, Mapping[str, Any]],
    tellings: Tellings,
    ladders: Collection[str],
    complaints: Complaints,
) -> dict[str, Route]:
    """The routes by name, faulty ones as far as they are understood."""
    routes = {name: _route(name, t, tellings, ladders, complaints) for name, t in tables.items()}
    doubtful = any(complaints.any_at(("routes", name), ("fallback",)) for name in routes)
    if not doubtful and not any(route.fallback for route in routes.values()):
        fault = "no route takes what no other route takes; give one of them fallback = true"
        complaints.add(("routes",), fault)
    return routes


def _route(
    name: str,
    table: Mapping[str, Any],
    tellings: Tellings,
    ladders: Collection[str],
    complaints: Complaints,
) -> Route:
    path = ("routes", name)
    section, _ = complaints.read_on(RouteSection, table, path)
    if not (section.notifiers or section.tell or complaints.any_at(path, ("notifiers", "tell"))):
        told = "is empty; name at least one" if "notifiers" in table else "is missing; add it"
        complaints.add((*path, "notifiers"), f"{told}, or say whom to tell")
    tellings.check_notifiers(section.notifiers, (*path, "notifiers"))
    tellings.check_targets(section.tell, (*path, "tell"))
    if section.ladder is not None and section.ladder not in ladders:
        complaints.unknown((*path, "ladder"), "ladder", section.ladder, ladders)
    for key in NARROWING if section.fallback else ():
        if getattr(section, key):
            complaints.add((*path, key), ONLY_IN_PART)
    return Route(name=name, **{key: getattr(section, key) for key in RouteSection.model_fields})


def applied(
    routing: Routing,
    accounts: Mapping[str, Configured],
    promises: Mapping[str, tuple[Policy, ...]],
    complaints: Complaints,
) -> Routing:
    """*routing* for these *accounts*; what routes name of them, and is not there, is complained of.

    Nothing is said of names while an account has faults of its own: it may be theirs.
    """
    marketplaces = {name: found.account.marketplace for name, found in accounts.items()}
    theirs = (policy.name for found in accounts.values() for policy in found.promises)
    known = {
        "accounts": set(accounts),
        "marketplaces": set(marketplaces.values()),
        "policies": {name.partition("@")[0] for name in (*promises, *theirs)},
    }
    doubtful = any(line.startswith("accounts.") for line in complaints.lines)
    for route in () if doubtful else routing.routes.values():
        for key, words in _NAMING.items():
            _check(getattr(route, key), known[key], words, ("routes", route.name, key), complaints)
    own = {name: found.account.routes for name, found in accounts.items()}
    return replace(routing, accounts=own, marketplaces=marketplaces)


def _check(
    named: Iterable[str],
    known: Collection[str],
    what: str,
    path: tuple[str, ...],
    complaints: Complaints,
) -> None:
    for name in sorted(named):
        plain = name.partition("@")[0]
        if plain not in known and not (what == "promise" and name.partition(":")[0] == GIVEN):
            complaints.unknown(path, what, name, known)


_NAMING = {"accounts": "account", "marketplaces": "marketplace", "policies": "promise"}
