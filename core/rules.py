"""What the settings say that a transaction needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping
    from datetime import datetime

    from core.connector import Credential
    from core.model import Account
    from core.routing import Routing
    from sla.calendar import Calendar
    from sla.policy import Policy, ThreadKind


@dataclass(frozen=True, slots=True)
class Acknowledging:
    """How an account acknowledges messages by itself while its *hours* are closed.

    *text* and *subject* are the shop's own words.
    """

    hours: Calendar
    text: str
    subject: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Accounts, their promises in all versions, and who is told. Replaced whole, never changed.

    *policies* holds, by account, every version of every promise that the account has or had. These
    alone are replaced where they stand, when an operator says since when one is in force: whoever
    began by the old dates ends by the new ones. *redated_at* is when that was said last, as known.
    *credentials* the keys that end by themselves. *acknowledging* is of those accounts that do so.
    *board* is where people look, as they reach it from outside; None: it was not said.
    """

    accounts: Mapping[str, Account]
    policies: MutableMapping[str, tuple[Policy, ...]]
    routing: Routing
    credentials: Mapping[str, tuple[Credential, ...]] = field(default_factory=dict)
    acknowledging: Mapping[str, Acknowledging] = field(default_factory=dict)
    redated_at: datetime | None = None
    board: str | None = None

    def promises(self, account: str, kind: ThreadKind) -> tuple[Policy, ...]:
        """The promises of *account* that apply to threads of *kind*, in all their versions."""
        return tuple(p for p in self.policies.get(account, ()) if kind in p.applies_to)

    def thread_page(self, account: str, thread: str) -> str | None:
        """Where people see a thread on the board; None where it was not said where that is."""
        if self.board is None:
            return None
        return f"{self.board.rstrip('/')}/thread/{quote(account, safe='')}/{quote(thread, safe='')}"


def with_mark(policies: Iterable[Policy], *, own_mark: bool) -> tuple[Policy, ...]:
    """*policies* as they hold for an account of which *own_mark* is known.

    That is whether its marketplace has a "no reply needed" of its own, `Capabilities.own_mark`.
    A promise that leaves it open may serve accounts of several connectors.
    """
    return tuple(
        replace(policy, marketplace_mark=own_mark) if policy.marketplace_mark is None else policy
        for policy in policies
    )
