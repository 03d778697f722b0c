"""How long one waits after passwords that were wrong: longer each time, never for good.

It is counted by name and by network. A stranger who guesses makes others wait for that name, but
not its person where they have signed in before: there, only what comes from there by that name
counts, whatever else is tried from the same office, proxy or carrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from core.store import sessions, tries

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db
    from core.store.tries import Tries

LONGEST = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Pace:
    """*free* tries without waiting; what was longer ago than *forgotten* counts no more."""

    free: int
    forgotten: timedelta

    def after(self, before: Tries, now: datetime) -> tuple[int, datetime]:
        """How many have failed with one more, and when the next may be tried. Pure."""
        failures = 1 if now - before.last_at > self.forgotten else before.failures + 1
        over = failures - self.free
        wait = timedelta(seconds=2 ** min(over, 16)) if over >= 0 else timedelta(0)
        return failures, now + min(wait, LONGEST)


BY_NAME = Pace(free=5, forgotten=timedelta(days=1))
BY_NETWORK = Pace(free=20, forgotten=timedelta(hours=1))
"""An office of twenty may all mistype on a Monday."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try to sign in, counted as failed until it succeeds. *wait*: it may not be made yet."""

    name: str
    network: str
    wait: timedelta | None = None


async def begin(db: Db, person: str, network: str, now: datetime) -> Try:
    """Count a try before it is made: a thousand at once are a thousand."""
    name = _key(person)
    is_known = await sessions.knows(db, person, network)
    if is_known:
        name = f"{name} {network}"
    paces = {name: BY_NAME, network: BY_NETWORK}
    known = await tries.locked(db, paces, now)
    until = max(one.until for key, one in known.items() if key == name or not is_known)
    if until > now:
        return Try(name, network, until - now)
    await tries.put(db, {key: pace.after(known[key], now) for key, pace in paces.items()}, now)
    return Try(name, network)


async def succeeded(db: Db, made: Try) -> None:
    """It was the right password: what failed before by that name is forgotten.

    Not so the failures of the network: one good account would buy any number of guesses.
    """
    await tries.forget(db, [made.name])
    await tries.take_back(db, made.network)


async def forgiven(db: Db, made: Try) -> None:
    """It was none: nobody looked at the password, for too many wanted to be let in."""
    await tries.take_back(db, made.name)
    await tries.take_back(db, made.network)


def _key(person: str) -> str:
    """Some type their password where the name belongs: only its digest is kept."""
    return f"name {sha256(person.encode('utf-8', 'replace')).hexdigest()[:32]}"
