"""What the account of a shop's mailbox says in the settings."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from connectors.webstore.kind import StoreOptions
from connectors.webstore.mailbox.providers import is_everybodys
from connectors.webstore.orders import Pattern
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.options import MailAccount, MailAddress, mail_address

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_WORDS = 200


def _domain(text: str) -> str:
    """A domain in small letters.

    Raises:
        Unfit: it is none.
    """
    name = text.strip().lower().removeprefix("@")
    if re.fullmatch(r"[^\s@<>,;:/]+\.[^\s@<>,;:/.]+", name) is None:
        raise Unfit("is no domain; write it like shop.example")
    return name


def _unshared(name: str) -> str:
    """A domain that is not everybody's.

    Raises:
        Unfit: it is a provider's: letters of buyers would open nothing.
    """
    if is_everybodys(name):
        raise Unfit("is a provider's, where buyers have addresses too, and none of them would be"
                    " heard; name whole addresses in also_own instead")  # fmt: skip
    return name


def _sender(text: str) -> str:
    """An address, or a domain with all of its addresses; in small letters.

    Raises:
        Unfit: it is neither.
    """
    told = text.strip()
    return mail_address(told) if "@" in told.removeprefix("@") else _domain(told)


Domain = Annotated[str, AfterValidator(_domain)]
OwnDomain = Annotated[Domain, AfterValidator(_unshared)]
Sender = Annotated[str, AfterValidator(_sender)]
Hint = Annotated[str, Field(min_length=2, max_length=LONGEST_WORDS)]


class MailboxOptions(StoreOptions, MailAccount):
    """One mailbox of the shop.

    *sender* is the address from which the shop answers, under *sender_name*; *also_own* are others
    from which its people do, and of *own_domains* nobody is a buyer. *form_senders* are addresses
    or domains, beside the shop's own, that send what buyers write into a form; with *form_subjects*
    only letters with one of these in their subject come from a form, and those with one of
    *notice_subjects* never do. *marketplace_domains* are further marketplaces whose letters are no
    letters to the shop. *order_pattern* finds an order's number, as its first group where it has
    one. *same_subject* is how far apart letters of one address and subject may be in one thread.
    *believes_junk*: what lies in the folder for junk opens nothing, unless it belongs to a thread.
    *confirmed_after* is the silence after which a reply counts as delivered. *plus_address*: what
    is sent to ``name+anything@`` arrives at *sender*, so that answers are asked for there.
    """

    kind: Literal["mailbox"]
    sender: MailAddress
    sender_name: str = Field(default="", max_length=LONGEST_WORDS)
    also_own: tuple[MailAddress, ...] = ()
    own_domains: tuple[OwnDomain, ...] = ()
    form_senders: tuple[Sender, ...] = ()
    form_subjects: tuple[Hint, ...] = ()
    notice_subjects: tuple[Hint, ...] = ()
    marketplace_domains: tuple[Domain, ...] = ()
    order_pattern: Pattern | None = None
    same_subject: PositiveDuration = timedelta(days=14)
    believes_junk: bool = False
    confirmed_after: Duration = timedelta(hours=2)
    plus_address: bool = False

    @property
    def own(self) -> frozenset[str]:
        """The addresses of the shop."""
        return frozenset({self.sender, *self.also_own})


def identity(options: MailboxOptions) -> str:
    """Which mailbox it is."""
    return options.mailbox


def budget(options: MailboxOptions) -> str:
    """The limit that accounts share: one user's connections to one mailbox."""
    return f"mailbox {options.mailbox}"


def findings(options: MailboxOptions, others: Sequence[MailboxOptions]) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    found = []
    if not options.authserv_ids:
        doubt = "is empty: nobody checks senders, and a forged letter may join a buyer's thread"
        found.append(f"authserv_ids: {doubt}; write the name that your mail server signs with")
    if not options.own_domains:
        doubt = "is empty: what a colleague writes to the mailbox counts as a buyer's question"
        found.append(f"own_domains: {doubt}; write the domain that is the shop's alone")
    if options.loses_its_token:
        doubt = "Microsoft gives another one again and again, and the first ends after 90 days"
        found.append(f"tokens.refresh_token: {doubt}; let the application enter by client_secret")
    if any(budget(other) == budget(options) for other in others):
        doubt = "another account reads this mailbox too, and each counts all of its letters"
        found.append(f"user: {doubt}; let one account read it")
    return tuple(found)
