"""Who may do what on the board, in the API and on the command line. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """What somebody is here for; each may do what the one before may, and more."""

    VIEWER = "viewer"
    AGENT = "agent"
    LEAD = "lead"
    ADMIN = "admin"


class Act(StrEnum):
    """What can be done, as far as it matters who does it; words of the audit trail too.

    LOOK: the queue, its counts, the wall: nothing that a buyer wrote. READ: a thread with its
    texts. CLAIM: take a thread for a while, or give one's own back. ANSWER: reply, undo, say that
    no reply is needed or was given elsewhere, promise a follow-up. OVERRULE: end another's claim.
    MACROS: change what agents answer with. MUTE: keep notices from being told. AUDIT: see who
    looked and did what. PEOPLE: let people in, change and end what they may.
    """

    LOOK = "look"
    READ = "read"
    CLAIM = "claim"
    ANSWER = "answer"
    OVERRULE = "overrule"
    MACROS = "macros"
    MUTE = "mute"
    AUDIT = "audit"
    PEOPLE = "people"


_VIEWER = frozenset({Act.LOOK, Act.READ})
_AGENT = _VIEWER | {Act.CLAIM, Act.ANSWER}
_LEAD = _AGENT | {Act.OVERRULE, Act.MACROS, Act.MUTE, Act.AUDIT}
MAY: Mapping[Role, frozenset[Act]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.AGENT: _AGENT,
        Role.LEAD: _LEAD,
        Role.ADMIN: _LEAD | {Act.PEOPLE},
    }
)

SignIn = Literal["password", "oidc", "proxy"]
"""How people sign in to the board, as the settings say."""

Means = Literal["session", "token", "proxy", "link", "cli"]
"""How somebody is known: signed in here or by OpenID Connect, by an API token, by the header of a
trusted proxy, by a signed link in a notice, or as who may run commands on the machine."""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who is known to us at this moment.

    *accounts* are the seller accounts that this person sees; None: all. *language* and *zone* are
    what pages are written in for them; None: as the browser asks, and the settings say. *address*
    is from where they ask; None: from this machine.
    """

    name: str
    role: Role
    accounts: frozenset[str] | None = None
    title: str = ""
    language: str | None = None
    zone: str | None = None
    means: Means = "session"
    address: str | None = field(default=None, compare=False)

    @property
    def shown(self) -> str:
        """How others see this person."""
        return self.title or self.name

    def sees(self, account: str) -> bool:
        """Whether *account* is one of theirs."""
        return self.accounts is None or account in self.accounts

    def may(self, act: Act, account: str | None = None) -> bool:
        """Whether they may do *act*, at all or about *account*."""
        return act in MAY[self.role] and (account is None or self.sees(account))
