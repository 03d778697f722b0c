"""Which letter this is, and who wrote it. Pure.

A contact form's letter comes from the shop itself and often calls itself automatic: the buyer is
whom it asks to answer (trap 17). What no person wrote starts nothing (trap 18), and what comes in
and pretends to be ours ends nothing: only what lies where letters left from does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from connectors.webstore.mailbox import operators, proof
from core.transport import addresses
from core.transport.authentication import within
from core.transport.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from connectors.webstore.mailbox.options import MailboxOptions
    from core.transport.authentication import Findings
    from core.transport.letter import Address, Mail

OWN_ID_WHOLE = re.compile(r"reply-\d{1,19}-(?:[0-9a-f]{16}-)?[0-9a-f]{24}@[a-z0-9.-]{1,255}")
"""The id of a reply of ours, whichever account it left from (`core.transport.replies`)."""
OWN_ID = re.compile(r"reply-\d{1,19}-([0-9a-f]{16})-[0-9a-f]{24}@")
"""The id of a reply that left from here: its thread stands in it."""

WEAK = frozenset({"suppress_auto_response", "loop_header"})
"""Signs of automatics that mail programs and forwarders put into people's letters too."""

IN_BULK = frozenset({
    "list", "precedence_bulk", "list_unsubscribe", "feedback_id", "no_reply_sender",
})  # fmt: skip
"""Signs that senders' services put into a person's answer too."""


class Sort(StrEnum):
    """What a letter is."""

    BUYER = "buyer"
    FORM = "form"
    SENT = "sent"
    OWN = "own"
    MARKETPLACE = "marketplace"
    REPORT = "report"
    VACATION = "vacation"
    AUTOMATIC = "automatic"
    NOBODYS = "nobodys"


@dataclass(frozen=True, slots=True)
class Sorted:
    """What a letter is; *who* is the buyer, where it is told. *said* is why it is set aside.

    *quiet*: that was to be expected.
    """

    sort: Sort
    who: Address | None = None
    said: str = ""
    quiet: bool = True


def sorted_as(
    mail: Mail, found: Findings | None, options: MailboxOptions, *, is_sent: bool
) -> Sorted:
    """What *mail* is; *found* is what a server whom we believe found out about its sender.

    *is_sent* says that it lies where letters lie that left. One that a server put there, as rules
    of a mailbox do, left from here only where that server proves it; and none that somebody outside
    wrote to us alone.
    """
    if is_sent and _has_left(mail, found, options):
        return Sorted(Sort.SENT)
    if mail.reports or mail.automatic in {"bounce", "delayed"}:
        return Sorted(Sort.REPORT)
    return _marketplace(mail, found, options) or _written(mail, options)


def _written(mail: Mail, options: MailboxOptions) -> Sorted:
    """A letter that came in and is no marketplace's."""
    asked = _asked(mail, options)
    if _is_notice(mail, options):
        return Sorted(Sort.OWN, said="own: what the shop tells itself, by its subject")
    if _is_form(mail, asked, options):
        return Sorted(Sort.FORM, asked)
    if mail.sender is None and asked is None:
        return Sorted(Sort.NOBODYS, said="unreadable: it names no sender", quiet=False)
    if mail.sender is not None and is_own(mail.sender.address, options):
        return _own(mail, options)
    return _strangers(mail, asked)


def is_own(address: str, options: MailboxOptions) -> bool:
    """Whether *address* is the shop's: of no buyer's."""
    told = address.lower()
    return told in options.own or any(within(proof.domain(told), d) for d in options.own_domains)


def is_buyers(who: Address, options: MailboxOptions) -> bool:
    """Whether *who* is neither the shop's nor a marketplace's, which relays to its own buyers."""
    name = operators.of(proof.domain(who.address), options.marketplace_domains)
    return name is None and not is_own(who.address, options)


def own_token(ids: Iterable[str]) -> str | None:
    """The thread that stands in the first of *ids* that is of a reply of ours."""
    found = (OWN_ID.match(one) for one in ids)
    return next((match[1] for match in found if match), None)


def recipients(mail: Mail) -> tuple[Address, ...]:
    """All to whom *mail* goes, each once."""
    ignored = set[Fault]()
    named = (value for name in ("cc", "bcc") for value in mail.headers.get(name, ()))
    copied = (one for value in named for one in addresses.read(value, ignored))
    found = {one.address.lower(): one for one in (*mail.to, *copied) if "@" in one.address}
    return tuple(found.values())


def ids(mail: Mail) -> tuple[str, ...]:
    """The letters that *mail* says it answers: the nearest first."""
    return tuple(dict.fromkeys(_ids(mail)))


def _ids(mail: Mail) -> Iterator[str]:
    answered = _ID.findall(" ".join(mail.headers.get("in-reply-to", ())))
    before = _ID.findall(" ".join(mail.headers.get("references", ())))
    yield from answered[:1]
    yield from reversed(before[-MOST_REFERENCES:])
    yield from before[:1]


_ID = re.compile(r"<([^<>\s]{1,500})>")
MOST_REFERENCES = 30


def _has_left(mail: Mail, found: Findings | None, options: MailboxOptions) -> bool:
    to, sender = recipients(mail), mail.sender.address.lower() if mail.sender else ""
    is_to_us = bool(to) and all(is_own(one.address, options) for one in to)
    if is_to_us and not _is_ours(sender, options):
        return False
    if not proof.was_delivered(mail):
        return True
    return proof.is_vouched_for(found, {proof.domain(one) for one in options.own})


def _marketplace(mail: Mail, found: Findings | None, options: MailboxOptions) -> Sorted | None:
    """Whether a marketplace wrote it, by its sender or by a signature that holds.

    Of one that was passed on under another sender only the relay is left that it asks to answer.
    """
    sender = proof.domain(mail.sender.address) if mail.sender else ""
    more = options.marketplace_domains
    signed = (operators.of(one, more) for one in proof.signers(found))
    if name := operators.of(sender, more):
        unchecked = found is None and not options.authserv_ids
        if unchecked or (found and found.vouches_for(sender)) or name in signed:
            return Sorted(Sort.MARKETPLACE, said=f"marketplace: {name}'s, read by its own account")
        said = f"unproven: it says that it is {name}'s, and no signature of theirs holds"
        return Sorted(Sort.MARKETPLACE, said=said, quiet=False)
    if name := next((one for one in signed if one), None):
        return Sorted(Sort.MARKETPLACE, said=f"marketplace: {name}'s, read by its own account")
    asked = _asked(mail, options)
    if asked and (name := operators.relay_of(proof.domain(asked.address), more)):
        said = f"unproven: it asks to answer a relay of {name}'s, under another sender"
        return Sorted(Sort.MARKETPLACE, said=said, quiet=False)
    return None


def _asked(mail: Mail, options: MailboxOptions) -> Address | None:
    """Whom the letter asks to answer in place of its sender: nobody of the shop."""
    for one in mail.reply_to:
        if "@" in one.address and not is_own(one.address, options):
            return one
    return None


def _is_notice(mail: Mail, options: MailboxOptions) -> bool:
    """Whether the shop's own system tells something, as the settings know it by its subject.

    Shops let it ask to answer the buyer, as a form does.
    """
    sender = mail.sender.address.lower() if mail.sender else ""
    return _is_ours(sender, options) and _has(mail.subject, options.notice_subjects)


def _is_ours(sender: str, options: MailboxOptions) -> bool:
    """Whether the shop's own forms and notices come from *sender*."""
    if is_own(sender, options) or any(_is_of(sender, one) for one in options.form_senders):
        return True
    return "@" in sender and proof.domain(sender) == proof.domain(options.sender)


def _is_form(mail: Mail, asked: Address | None, options: MailboxOptions) -> bool:
    """Whether the shop's own form sent it: of a sender of the shop's, about somebody else."""
    sender = mail.sender.address.lower() if mail.sender else ""
    if not _is_ours(sender, options):
        return False
    if options.form_subjects and not _has(mail.subject, options.form_subjects):
        return False
    if any(_is_of(sender, one) for one in options.form_senders):
        return True
    return asked is not None and asked.address.lower() != sender


def _is_of(sender: str, named: str) -> bool:
    return sender == named if "@" in named else within(proof.domain(sender), named)


def _has(subject: str, hints: Collection[str]) -> bool:
    said = subject.casefold()
    return any(hint.casefold() in said for hint in hints)


def _own(mail: Mail, options: MailboxOptions) -> Sorted:
    """A letter that names one of us as its sender: no buyer's, and no proof that anybody answered.

    A form's whose buyer is not told in Reply-To looks so: a person looks, unless a machine wrote
    it, or it went to somebody outside and is but a copy.
    """
    is_made = mail.automatic != "no" and not WEAK.issuperset(mail.signs)
    is_copy = any(not is_own(one.address, options) for one in recipients(mail))
    said = "own: from an address of the shop, and no copy of a letter that left"
    return Sorted(Sort.OWN, said=said, quiet=is_made or is_copy)


def _strangers(mail: Mail, asked: Address | None) -> Sorted:
    """A letter from outside: a buyer's, unless it says itself that nobody wrote it.

    What shows signs of bulk alone is a person's where it answers a reply of ours, and a "no-reply"
    sender is a form of somebody else's where it asks to answer a person.
    """
    who = asked or mail.sender
    signs = set(mail.signs) - WEAK
    if own_token(ids(mail)):
        signs -= IN_BULK
    if asked is not None:
        signs.discard("no_reply_sender")
    if not signs:
        return Sorted(Sort.BUYER, who)
    if mail.automatic == "reply":
        return Sorted(Sort.VACATION, who, "automatic: an answer that nobody wrote")
    if mail.automatic == "complaint":
        return Sorted(Sort.AUTOMATIC, said="complaint: a letter of ours was called spam",
                      quiet=False)  # fmt: skip
    if asked is not None and signs <= {"auto_generated", "auto_generated_header"}:
        said = "automatic: of a form, it seems; if so name its sender in form_senders"
        return Sorted(Sort.AUTOMATIC, said=said, quiet=False)
    return Sorted(Sort.AUTOMATIC, said=f"automatic: {mail.automatic}")
