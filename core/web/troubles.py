"""What somebody must know before they believe the queue: what is not read, what is away. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from core.access import Who
    from core.measuring.facts import Snapshot
    from core.metrics import Metrics
    from core.model import Account
    from core.rules import Rules

Kind = Literal["stopping", "database", "schema", "clock", "blind", "refused", "muted"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong; *account* where it is about one, *since* where that is known.

    *unseen* is about how many buyers' messages we have not seen.
    """

    kind: Kind
    account: Account | None = None
    since: datetime | None = None
    until: datetime | None = None
    unseen: int = 0
    route: str = ""


@dataclass(frozen=True, slots=True)
class Sighted:
    """What is known of the accounts: from when each is blind, how much of it is unseen.

    The first is an instant (+Inf: nobody looked yet), the second a number, each by account.
    """

    blind_from: Callable[[str], float]
    unseen: Callable[[str], float]


def sighted(metrics: Metrics) -> Sighted:
    """As the loop that looks for blind streams said last."""
    return Sighted(metrics.blind_from.get, metrics.unseen_messages_expected.get)


def of_program(faults: Iterable[str], *, sure: bool) -> Iterator[Trouble]:
    """What is wrong with the whole: *faults* as `Watched.faults` says them."""
    said = list(faults)
    if any(fault == "stopping" for fault in said):
        yield Trouble("stopping")
    if any(fault.startswith("database") for fault in said):
        yield Trouble("database")
    if any(fault.startswith("schema") for fault in said):
        yield Trouble("schema")
    if not sure:
        yield Trouble("clock")


def of_accounts(
    rules: Rules, seen: Sighted, snapshot: Snapshot, now: datetime, who: Who
) -> Iterator[Trouble]:
    """What is wrong with the accounts that *who* sees: the blind first."""
    visible = [a for name, a in sorted(rules.accounts.items()) if who.sees(name)]
    blind = {a.name for a in visible if seen.blind_from(a.name) <= now.timestamp()}
    for account in visible:
        if account.name in blind:
            read = snapshot.readings.get(account.name)
            since = _instant(read.seen_through) if read else None
            yield Trouble("blind", account, since, unseen=round(seen.unseen(account.name)))
    for account in visible:
        reading = snapshot.readings.get(account.name)
        if account.name not in blind and reading is not None and not reading.authorized:
            yield Trouble("refused", account, _instant(reading.last_success))
    for account in visible:
        muted = snapshot.muted.get(("account", account.name))
        if muted is not None:
            yield Trouble("muted", account, until=_instant(muted.until))


def _instant(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None
