"""What is allowed in settings and yet not wise: found by `replyby check` and at every start."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import durations
from core.reading import blind
from core.running import disk, pushed, reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from core.model import Stream
    from core.settings import Settings

log = structlog.get_logger()

DAY = timedelta(days=1)
"""By so much a day may have begun earlier elsewhere."""


def findings(settings: Settings, now: datetime) -> list[str]:
    """One line for each thing that a person should look at; none: all is well."""
    return [
        *settings.warnings,
        *_listeners(settings),
        *reach.findings(settings, now),
        *_unused(settings),
        *_unpromised(settings, now),
        *_slow(settings, now),
        *_found(settings),
        *pushed.findings(settings),
        *_unheard(settings),
        *_disk(settings),
        *_ended(settings, now),
        *_to_review(settings, now),
    ]


def tell(settings: Settings, now: datetime, more: Iterable[str] = ()) -> None:
    """Log each finding, and *more*, whenever settings are taken over."""
    for finding in (*findings(settings, now), *more):
        log.warning("settings could be wiser", finding=finding)


def _listeners(settings: Settings) -> Iterator[str]:
    for name in ("ops", "push"):
        listener = getattr(settings, name)
        if listener is not None and not listener.loopback:
            yield (
                f"{name}.listen: {listener.listen} can be reached from outside; "
                "put a proxy with TLS and access control before it, or listen at 127.0.0.1"
            )


def _unused(settings: Settings) -> Iterator[str]:
    accounts = [found.account for found in settings.accounts.values()]
    used = {name for account in accounts for name in (*account.policies, *account.goals)}
    for name, versions in settings.promises.items():
        if name not in used:
            place = "goals" if versions[0].role == "goal" else "policies"
            yield f"policies.{name}: no account has it; name it under an account's {place}"
    named = {route for account in accounts for route in account.routes}
    for name, route in settings.routing.routes.items():
        if name not in named and not (route.fallback or route.accounts or route.marketplaces):
            yield f"routes.{name}: no account names it; name it under an account's routes"
    told = settings.routing.reached()
    for name in settings.notifiers:
        if name not in told:
            yield f"notifiers.{name}: no route names it; name it in a route, or remove it"


def _unpromised(settings: Settings, now: datetime) -> Iterator[str]:
    if not settings.accounts:
        yield "accounts: none is configured; add [accounts.name]"
    for name, account in settings.accounts.items():
        if blind.shortest(account.promises, now) is None:
            yield f"accounts.{name}: has no promise in force, so no clock will run; give it goals"


def _slow(settings: Settings, now: datetime) -> Iterator[str]:
    """Polls that leave too much of a promise in the dark; a stand-in's promises are play.

    Where what is new is pushed, the poll is the net below it: what a lost push said must be found
    while it can still be answered in time.
    """
    for name, account in settings.accounts.items():
        for stream in account.streams:
            if account.account.sandbox or not stream.carries_clocks:
                continue
            carried = [p for p in account.promises if p.applies_to & stream.kinds]
            promise = blind.shortest(carried, now)
            if promise is None:
                continue
            share = 1.0 if stream.pushed else blind.SHARE
            if blind.is_too_slow(stream.every * (blind.SHARE / share), promise):
                yield (
                    f"accounts.{name}: {stream.name} is read every "
                    f"{durations.write(stream.every)}, too slowly for a promise of "
                    f"{durations.write(promise)}; {_quicker(stream, promise * share / 3)}"
                )


def _quicker(stream: Stream, enough: timedelta) -> str:
    """How to read *stream* every *enough*, or oftener: nothing that is refused."""
    if enough >= stream.floor:
        return f"read it every {durations.write(enough)} or oftener"
    refused = "oftener is not allowed: promise more time, or have it pushed where that can be"
    if stream.every <= stream.floor:
        return refused
    return f"read it every {durations.write(stream.floor)}; {refused}"


def _unheard(settings: Settings) -> Iterator[str]:
    """Accounts of pushes alone of whose silence nobody can be told yet; a stand-in's is play."""
    for name, found in settings.accounts.items():
        one = found.account
        if one.receives and not one.polled and one.silence is None and not one.sandbox:
            yield (
                f"accounts.{name}: everything is pushed to it, and nobody is told of its silence "
                "until enough of its weeks were seen, so never if nothing comes; "
                'write how long nothing may come: silence = "1d"'
            )


def _found(settings: Settings) -> Iterator[str]:
    """What connectors find in the options of their accounts."""
    real = [found for found in settings.accounts.values() if not found.account.sandbox]
    for name, account in settings.accounts.items():
        if account.spec.findings is not None:
            same = [each for each in real if each.spec is account.spec and each is not account]
            others = () if account.account.sandbox else tuple(each.options for each in same)
            for finding in account.spec.findings(account.options, others):
                yield f"accounts.{name}.options.{finding}"


def _disk(settings: Settings) -> Iterator[str]:
    """A disk that is nearly full under the embedded database, where there is one already."""
    if not settings.store.embedded or not settings.state_dir.is_dir():
        return
    with suppress(OSError):
        space = disk.measured(disk.place(settings.state_dir))
        least = disk.least(space, settings.store)
        if space.free < least:
            yield (
                f"store.state_dir: {space.free // disk.MIB} MiB are free where the database lies, "
                f"less than {least // disk.MIB} MiB; make room, or nothing is stored any more"
            )


def _ended(settings: Settings, now: datetime) -> Iterator[str]:
    """Keys that have ended, as far as is known when they were made, and days that cannot be."""
    for name, account in settings.accounts.items():
        for key in account.credentials:
            if key.expires_at <= now:
                yield (
                    f"accounts.{name}: the {key.name} has ended on {key.expires_at:%Y-%m-%d}; "
                    "make a new one, and write when it was made"
                )
            elif key.made_at is not None and key.made_at > now + DAY:
                yield (
                    f"accounts.{name}: the {key.name} is said to be made on "
                    f"{key.made_at:%Y-%m-%d}, which is still to come; write the right day"
                )


def _to_review(settings: Settings, now: datetime) -> Iterator[str]:
    """Promises whose source should be read again."""
    seen: set[str] = set()
    for account in settings.accounts.values():
        for policy in account.promises:
            day = policy.review_after
            if (
                day is None
                or day >= now.date()
                or not policy.is_in_force(now)
                or policy.name in seen
            ):
                continue
            seen.add(policy.name)
            yield (
                f"policies.{policy.name}: was to be reviewed after {day}; read its source again "
                f"({policy.source or 'none is given'}) and move checked_on and review_after"
            )
