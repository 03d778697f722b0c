"""A seller's account at Amazon, and what people do in it: buyers, the shop's agents, strangers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from connectors.amazon.sandbox import (
    buyers_letter,
    notices,
    relay,
    reports,
    sellers_letter,
    strangers,
)
from connectors.amazon.sandbox.buyers_letter import Style
from connectors.amazon.sandbox.cases import SHARES, Buyer, Case, Entry, Order
from connectors.amazon.sandbox.post import INBOX, SENT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from random import Random

    from connectors.amazon.sandbox.author import Author
    from connectors.amazon.sandbox.cases import Carries, Contact
    from connectors.amazon.sandbox.composing import File, Letter, Mailbox
    from connectors.amazon.sandbox.post import Post
    from connectors.amazon.sandbox.relay import Answer, Fate
    from connectors.amazon.sandbox.strangers import Forgery
    from core.sandbox.mail import Taken

HOUR = timedelta(hours=1)
COPIED, OPTED_OUT, REPORTED = (1, 20), (5, 60), (1, 10)
"""Seconds until the copy of an answer comes, a notice that the buyer opted out, a report."""

RECORDED = 1000
LATER = timedelta(minutes=20)
"""How much later a delayed letter is relayed after all."""

TITLES = ("Steel bottle 750 ml", "Bamboo board", "Reading lamp", "Wool blanket", "Bicycle bell")


@dataclass(slots=True)
class Habits:
    """In what accounts differ, and what nobody outside Amazon knows for certain.

    *copies*: Amazon sends a copy of each answer. *refusal*: how it says that a sender is not
    approved. *answers_back*: the share of answers upon which the buyer writes once more.
    *saves_sent*: the mail server keeps what it sends. *most_an_hour*: how many letters the mail
    server takes in an hour.
    """

    copies: bool = True
    refusal: Literal["bounce", "notice"] = "bounce"
    answers_back: float = 0.0
    saves_sent: bool = False
    most_an_hour: int | None = None


class Outcome(NamedTuple):
    """What became of a letter to a buyer; *case* is the one that it belongs to."""

    at: datetime
    answer: Answer
    fate: Fate
    case: Case | None


@dataclass(slots=True)
class Seller:
    """An account. *approved* are the addresses that may write to buyers, in small letters.

    *next_fates* are ordered for the next letters to buyers, whatever they would deserve.
    """

    author: Author
    mailbox: Mailbox
    sender: str
    post: Post
    clock: Callable[[], datetime]
    random: Random = field(repr=False)
    approved: set[str] = field(default_factory=set)
    habits: Habits = field(default_factory=Habits)
    buyers: dict[str, Buyer] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    outcomes: deque[Outcome] = field(default_factory=lambda: deque(maxlen=RECORDED))
    next_fates: deque[Fate] = field(default_factory=deque)
    on_answer: Callable[[Case, datetime], None] | None = None
    _taken: deque[datetime] = field(default_factory=deque)

    # People and orders

    def add_buyer(
        self, name: str = "Ada Sample", language: str = "en", *, is_opted_out: bool = False
    ) -> Buyer:
        """A new buyer with an alias of his own."""
        local = "".join(self.random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=15))
        self.buyers[local] = Buyer(name, local, language, is_opted_out)
        return self.buyers[local]

    def add_order(self, buyer: Buyer, at: datetime, order_id: str | None = None) -> Order:
        """Something that *buyer* bought."""
        number = order_id or order_number(self.random)
        asin = "B0" + "".join(self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=8))
        order = Order(number, buyer, self.author.place, self.random.choice(TITLES), asin, at)
        self.orders[number] = order
        return order

    def open_case(
        self, buyer: Buyer, order: Order | None = None, carries: Carries | None = None
    ) -> Case:
        """A conversation in which nobody has written yet."""
        drawn = self.random.choices(list(SHARES), list(SHARES.values()))[0]
        case = Case(self.author.uuid(), buyer, self.author.place, carries or drawn, order)
        case.subject = buyers_letter.subject(self.author, case)
        self.cases[case.id] = case
        return case

    # What comes by mail

    def buyer_writes(
        self,
        case: Case,
        words: str,
        at: datetime | None = None,
        *,
        arrives: datetime | None = None,
        style: Style | None = None,
        files: Sequence[File] = (),
        folder: str = INBOX,
    ) -> Letter:
        """The buyer writes *at*, and the letter arrives then or later."""
        at, style = at or self.clock(), style or Style()
        letter = buyers_letter.written(self.author, case, words, at, style, files)
        counts = not style.is_automatic
        case.entries.append(Entry(at, "buyer", words, letter.message_id, tuple(files), counts))
        return self.posts(letter, arrives, folder)

    def customer_service_writes(
        self, case: Case, words: str, at: datetime | None = None, arrives: datetime | None = None
    ) -> Letter:
        """Amazon's customer service writes for the buyer."""
        at = at or self.clock()
        letter = buyers_letter.form(self.author, case, words, at)
        case.entries.append(Entry(at, "buyer", words, letter.message_id))
        return self.posts(letter, arrives)

    def stranger_writes(
        self, case: Case | None = None, how: Forgery | None = None, at: datetime | None = None
    ) -> Letter:
        """Somebody who is not Amazon writes; about a *case*, he pretends that he is, in a way."""
        at = at or self.clock()
        if case is None or how is None:
            return self.posts(strangers.foreign(self.author, at))
        words, server = "Please answer to my new address at once.", self.mailbox.server
        return self.posts(strangers.forged(self.author, case, words, how, server, at))

    def posts(self, letter: Letter, arrives: datetime | None = None, folder: str = INBOX) -> Letter:
        """Send *letter* on its way to the seller."""
        self.post.put(letter, self.mailbox, max(arrives or letter.at, letter.at), folder)
        return letter

    # What the shop's agents do

    def answers_at_amazon(self, case: Case, words: str, at: datetime | None = None) -> None:
        """Somebody answers in Seller Central; a copy comes by mail where the account wants it."""
        at = at or self.clock()
        case.entries.append(Entry(at, "seller", words, ""))
        self._copy(case, words, at)

    def marks_no_response_needed(self, case: Case, at: datetime | None = None) -> None:
        """Somebody sets Amazon's mark; no letter tells of it."""
        case.marks.append(at or self.clock())

    def answers_by_mail(
        self,
        case: Case,
        words: str,
        at: datetime | None = None,
        *,
        to: str | None = None,
        sender: str | None = None,
        quotes: bool = True,
    ) -> Outcome:
        """Somebody answers from a mail program, which keeps what it sends."""
        at = at or self.clock()
        asked = next((one for one in reversed(case.entries) if one.by == "buyer"), None)
        letter = sellers_letter.answered(
            self.author, case, words, at, asked if quotes else None,
            to=to or case.alias, sender=sender or self.sender,
        )  # fmt: skip
        self.post.put(letter, self.mailbox, at, SENT)
        return self.relays(letter.raw, sender or self.sender, to or case.alias, at)

    # What Amazon makes of it

    def takes(self, taken: Taken, at: datetime) -> str | None:
        """The mail server takes a letter, and passes it on; returns its refusal, if it refuses."""
        if self.habits.most_an_hour is not None:
            while self._taken and self._taken[0] <= at - HOUR:
                self._taken.popleft()
            if len(self._taken) >= self.habits.most_an_hour:
                return "451 4.7.1 Too many messages, try again later"
        self._taken.append(at)
        if self.habits.saves_sent:
            self.post.put(sellers_letter.kept(taken.raw, at), self.mailbox, at, SENT)
        for recipient in taken.recipients:
            if ".amazon." in recipient.rpartition("@")[2].lower():
                self._heard(self.relays(taken.raw, taken.sender, recipient, at))
        return None

    def relays(self, raw: bytes, envelope_sender: str, recipient: str, at: datetime) -> Outcome:
        """Amazon gets a letter for a buyer."""
        answer = relay.read(raw, envelope_sender, recipient)
        case = relay.named(answer.recipient, self.cases.values())
        fate = relay.fate(answer, case, self.buyers, self.approved)
        fate = self.next_fates.popleft() if self.next_fates else fate
        outcome = Outcome(at, answer, fate, case)
        self.outcomes.append(outcome)
        self._follow(outcome)
        return outcome

    def contacts(self) -> list[Contact]:
        """Every time that a buyer waited until now, for Amazon's own figures."""
        now = self.clock()
        return [contact for case in self.cases.values() for contact in case.contacts(now)]

    def forget(self, case: Case) -> None:
        """Drop a case, its order and its letters."""
        self.cases.pop(case.id, None)
        if case.order:
            self.orders.pop(case.order.id, None)
        self.post.drop(one.message_id for one in case.entries if one.message_id)

    def _follow(self, outcome: Outcome) -> None:
        at, answer, fate, _ = outcome
        if fate == "relayed":
            self._relayed(outcome)
        elif fate == "delayed":
            self._reports(reports.LATE, answer, at)
            self._relayed(outcome._replace(at=at + LATER))
        elif fate == "opted_out":
            self._opted_out(outcome)
        elif fate == "unapproved" and self.habits.refusal == "notice":
            then = self._soon(at, REPORTED)
            self.posts(notices.unapproved(self.author, answer.sender, answer.message_id, then))
        elif fate in reports.BY_FATE:
            self._reports(reports.BY_FATE[fate], answer, at)

    def _relayed(self, outcome: Outcome) -> None:
        """The buyer gets it. Without its case it is a conversation of its own."""
        at, answer, _, case = outcome
        case = case or self._begun_by(answer)
        if case is None:
            return
        files, counts = relay.kept(answer.files), not answer.is_automatic
        case.entries.append(Entry(at, "seller", answer.written, answer.message_id, files, counts))
        self._copy(case, answer.written, at)

    def _heard(self, outcome: Outcome) -> None:
        """The buyer may write once more upon an answer that came from here."""
        case = outcome.case
        if self.on_answer is None or case is None or outcome.fate != "relayed":
            return
        if self.random.random() < self.habits.answers_back:
            self.on_answer(case, outcome.at)

    def _begun_by(self, answer: Answer) -> Case | None:
        buyer = self.buyers.get(answer.recipient.partition("@")[0].partition("+")[0])
        if buyer is None:
            return None
        order = next((one for one in self.orders.values() if one.id in answer.subject), None)
        return self.open_case(buyer, order, "nowhere")

    def _copy(self, case: Case, words: str, at: datetime) -> None:
        if self.habits.copies:
            in_one_line = self.random.random() < 0.5
            letter = notices.copy(self.author, case, words, at, in_one_line=in_one_line)
            self.posts(letter, self._soon(at, COPIED))

    def _opted_out(self, outcome: Outcome) -> None:
        at, answer, _, case = outcome
        case = case or self._begun_by(answer)
        if case is not None:
            then = self._soon(at, OPTED_OUT)
            self.posts(notices.opt_out(self.author, case, at, then))

    def _reports(self, failure: reports.Failure, answer: Answer, at: datetime) -> None:
        mailbox, then = self.mailbox, self._soon(at, REPORTED)
        self.posts(
            reports.report(
                failure, mailbox.server, mailbox.user, answer.recipient, answer.raw, then,
                self.random,
            )
        )  # fmt: skip

    def _soon(self, at: datetime, seconds: tuple[int, int]) -> datetime:
        return at + timedelta(seconds=self.random.uniform(*seconds))


def order_number(random: Random) -> str:
    """An order's number in the form 3-7-7."""
    return (
        f"{random.randrange(302, 309)}-{random.randrange(10**7):07d}-{random.randrange(10**7):07d}"
    )
