"""One letter on its way to our words: what came, and what can be said of it by itself. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from connectors.webstore import orders
from connectors.webstore.mailbox import proof, sorts
from connectors.webstore.mailbox.sorts import Sort
from core.model import Message, SetAside, Thread
from core.transport import filing, headers, quotes, subjects
from sla.clock import Delivery, Kind
from sla.policy import Party

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.mailbox.options import MailboxOptions
    from connectors.webstore.mailbox.sorts import Sorted
    from core.transport.authentication import Findings
    from core.transport.imap_folders import Role
    from core.transport.letter import Address, Mail

MOST = 200_000
"""Characters of a letter that are read."""

MOST_REFERENCES, LONGEST_REFERENCE = 10, 200
"""Letters that an answer names as those before it, and characters of the id of one."""

OUTLOOKS = 22
"""Bytes of ``Thread-Index`` that all letters of a conversation have alike."""

UNTOLD = "en-us"
"""The language that mail programs name where nobody chose one."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A letter as it lay in the mailbox.

    *at* is the server's own time of its arrival, never what the sender says (trap 19). *role* is
    what the folder is for in which it lay. *found* is what a server whom we believe found out about
    its sender, None where nobody did. *gmail* is Gmail's own number of the conversation.
    """

    mail: Mail
    at: datetime
    role: Role = "inbox"
    found: Findings | None = None
    gmail: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, and all that can be said of it by itself.

    *people* are those outside who wrote it, or to whom it went; *answers* the letters that it says
    it answers, the nearest first. *orders* are those that it names. *mark* tells it from others
    that have its id. *is_forged*: its sender certainly did not send it. *is_junk*: the mailbox's
    server thinks that nobody wants it.
    """

    mail: Mail
    sorted: Sorted
    id: str
    at: datetime
    text: str
    people: tuple[Address, ...]
    answers: tuple[str, ...]
    orders: tuple[str, ...]
    mark: str
    is_forged: bool
    provider: tuple[str, ...]
    is_junk: bool = False

    @property
    def sort(self) -> Sort:
        """What it is."""
        return self.sorted.sort

    def message(self, thread: str, party: Party, kind: Kind, id_: str | None = None) -> Message:
        """The message that it is in *thread*; a letter of the shop's was taken by a server.

        It is addressed to the other side; a note and what a machine tells, to nobody.
        """
        other = Party.SELLER if party is Party.BUYER else Party.BUYER
        whole = self.mail.text[:MOST].strip()
        return Message(
            id=id_ or self.id,
            thread=thread,
            party=party,
            kind=kind,
            to=frozenset() if kind in {Kind.INTERNAL, Kind.SYSTEM} else frozenset({other}),
            delivery=Delivery.ACCEPTED if party is Party.SELLER else None,
            sent_at=self.at,
            language=self._language if party is Party.BUYER else None,
            subject=filing.line(self.mail.subject) or None,
            body=self.text,
            order_id=self.orders[0] if self.orders else None,
            attachments=tuple(map(filing.attachment, self.mail.files)),
            raw=whole.encode("utf-8", "replace") if whole and whole != self.text else None,
        )

    @property
    def _language(self) -> str | None:
        """What its writer's program says that it is written in, where that says anything.

        A form is sent by the shop, and what is ``en-US`` may be written by a program that nobody
        told another language.
        """
        told = self.mail.header("content-language").strip()
        says_nothing = self.sort is Sort.FORM or "," in told or told.lower() == UNTOLD
        return None if says_nothing else told

    def state(self, thread: str) -> Thread:
        """The state of its thread after a buyer's letter: whom to answer, and upon what."""
        who = self.sorted.who
        return Thread(
            id=thread,
            subject=filing.line(self.mail.subject) or None,
            buyer=filing.line(who.name or who.address) if who else "",
            order_ids=self.orders,
            as_of=self.at,
            reply_to=self._reply_to(who),
        )

    def _reply_to(self, who: Address | None) -> dict[str, str]:
        """What an answer needs. A sender who is forged is answered, and no key to other threads."""
        told = {"kind": "mailbox"}
        if who is not None and "@" in who.address:
            told["address"] = who.address
            if not self.is_forged:
                told["mail"] = who.address.lower()
        if not self.id.startswith("made:"):
            before = [one for one in reversed(self.answers) if len(one) <= LONGEST_REFERENCE]
            told["message_id"] = self.id
            told["references"] = " ".join([*before[-MOST_REFERENCES:], self.id])
        return told

    def aside(self, reason: str, *, quiet: bool = True) -> SetAside:
        """That it is no message, and why: whose it claims to be, and no word of it."""
        sender = self.mail.sender.address if self.mail.sender else ""
        told = {
            "message": self.id,
            "domain": proof.domain(sender),
            "automatic": self.mail.automatic,
            "signs": list(self.mail.signs),
            "faults": list(self.mail.faults),
        }
        return SetAside(self.id, reason, json.dumps(told).encode(), quiet)


def read(arrival: Arrival, options: MailboxOptions) -> Letter:
    """What can be said of *arrival* by itself."""
    mail = arrival.mail
    found = sorts.sorted_as(mail, arrival.found, options, is_sent=arrival.role == "sent")
    text = _text(mail, found.sort)
    return Letter(
        mail=mail,
        sorted=found,
        id=_id(mail, found.sort),
        at=arrival.at.astimezone(UTC),
        text=text,
        people=_people(mail, found, options),
        answers=sorts.ids(mail),
        orders=orders.named([f"{mail.subject}\n{text}"], options.order_pattern),
        mark=_mark(mail),
        is_forged=found.sort is not Sort.SENT and proof.is_forged(mail, arrival.found),
        provider=_provider(mail, arrival.gmail),
        is_junk=arrival.role == "junk",
    )


def _text(mail: Mail, sort: Sort) -> str:
    """What its writer says; where that is nothing, the letter that is enclosed.

    A form's letter quotes nothing, though its lines may look so.
    """
    whole = mail.text[:MOST]
    said = (whole if sort is Sort.FORM else quotes.written(whole)).strip()
    enclosed = (one.text[:MOST].strip() for one in mail.forwarded)
    return said or next((one for one in enclosed if one), "")


def _id(mail: Mail, sort: Sort) -> str:
    """Its id; nobody else's letter may take the place of a reply of ours."""
    told = filing.name(mail)
    takes_ours = sort is not Sort.SENT and sorts.own_token([told]) is not None
    return filing.made(f"{told}\n{_mark(mail)}") if takes_ours else told


def _people(mail: Mail, found: Sorted, options: MailboxOptions) -> tuple[Address, ...]:
    if found.sort is Sort.SENT:
        return tuple(one for one in sorts.recipients(mail) if sorts.is_buyers(one, options))
    return (found.who,) if found.who else ()


def _mark(mail: Mail) -> str:
    """What differs in two letters to which some program gave one id, as forms do."""
    names = ("from", "reply-to", "date", "subject")
    told = "\n".join("\t".join(mail.headers.get(name, ())) for name in names)
    return filing.digest(told, 8)


def _provider(mail: Mail, gmail: str | None) -> tuple[str, ...]:
    """The provider's own names of the conversation: Outlook's, Gmail's."""
    index = headers.base64(mail.header("thread-index")[:400].encode("ascii", "replace"))
    outlook = [f"outlook:{index[:OUTLOOKS].hex()}"] if len(index) >= OUTLOOKS else []
    return (*outlook, *([f"gmail:{gmail}"] if gmail else []))


def base(letter: Letter) -> str:
    """What the subjects of one conversation have in common."""
    return " ".join(subjects.bare(letter.mail.subject).casefold().split())
