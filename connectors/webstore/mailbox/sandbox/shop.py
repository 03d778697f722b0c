"""One shop's mailbox, and what people do there: buyers, the shop's agents, robots, strangers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from connectors.webstore.mailbox.sandbox import letters
from connectors.webstore.mailbox.sandbox.letters import Shape, Written
from core.sandbox import mail_writing
from core.sandbox.mail_post import INBOX, JUNK, SENT
from core.sandbox.mail_writing import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from random import Random

    from connectors.webstore.mailbox.sandbox.letters import Letter, Proof
    from core.sandbox.mail import Taken
    from core.sandbox.mail_post import Post
    from core.sandbox.mail_writing import File

Fate = Literal["delivered", "dead", "late", "away"]
"""What becomes of a letter to a buyer: ``away`` is delivered, and a holiday's answer comes."""

DEAD = Failure("failed", "5.1.1", "550 5.1.1 no such user here")
LATE = Failure("delayed", "4.4.1", "451 4.4.1 no answer from the host, trying again")
SOON = (1, 10)
"""Seconds until a report or an automatic answer comes."""

RECORDED = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody wrote; what *counts* is a person's word to the other side."""

    at: datetime
    by: Literal["buyer", "seller"]
    text: str
    message_id: str
    counts: bool = True


@dataclass(slots=True)
class Talk:
    """A conversation with one buyer; *way* is how it began."""

    id: str
    name: str
    mail: str
    language: str
    order: str
    subject: str
    way: Literal["mail", "form"] = "mail"
    entries: list[Entry] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)

    @property
    def ids(self) -> tuple[str, ...]:
        """All letters of it, oldest first."""
        return tuple(one.message_id for one in sorted(self.entries, key=lambda one: one.at))

    def is_waiting(self, now: datetime) -> bool:
        """Whether the buyer waits for the shop."""
        told = [one for one in self.entries if one.at <= now and one.counts]
        last = sorted(told, key=lambda one: one.at)[-1:]  # of one instant the later entry counts
        return any(one.by == "buyer" or one.message_id in self.failed for one in last)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a letter to a buyer."""

    at: datetime
    message_id: str
    fate: Fate
    talk: str | None


@dataclass(slots=True)
class Shop:
    """A mailbox at *server*, which keeps what leaves through it where *saves_sent*.

    *next_fates* are ordered for the next letters to buyers; *on_answer* hears of
    those delivered that a person wrote.
    """

    user: str
    sender: str
    server: str
    post: Post
    clock: Callable[[], datetime]
    random: Random = field(repr=False)
    saves_sent: bool = False
    talks: dict[str, Talk] = field(default_factory=dict)
    outcomes: deque[Outcome] = field(default_factory=lambda: deque(maxlen=RECORDED))
    next_fates: deque[Fate] = field(default_factory=deque)
    on_answer: Callable[[Talk, datetime], None] | None = None

    # What comes by mail

    def open(
        self, name: str, mail: str, subject: str, *, order: str = "", language: str = "en",
        way: Literal["mail", "form"] = "mail",
    ) -> Talk:  # fmt: skip
        """A conversation in which nobody has written yet."""
        number = f"{self.random.getrandbits(48):012x}"
        talk = Talk(number, name, mail, language, order, subject, way)
        self.talks[talk.id] = talk
        return talk

    def buyer_writes(
        self, talk: Talk, words: str, at: datetime | None = None, *,
        arrives: datetime | None = None, folder: str = INBOX, shape: Shape = "text",
        refers: bool = True, quoted: str = "", files: Sequence[File] = (), proof: Proof = "pass",
    ) -> Letter:  # fmt: skip
        """The buyer writes *at*, by the form for the first time where the talk began there."""
        at, first = at or self.clock(), not talk.entries
        subject = talk.subject if first else f"Re: {self._subject(talk)}"
        written = Written(words, subject, quoted, talk.ids, refers, shape, tuple(files))
        id_ = self._id(talk.mail.rpartition("@")[2])
        if first and talk.way == "form":
            automatic = self.random.random() < 0.5
            letter = letters.by_form(
                written, talk.name, talk.mail, self.user, id_, at, automatic=automatic
            )
        else:
            letter = letters.by_buyer(written, talk.name, talk.mail, self.user, id_, at, proof)
        talk.entries.append(Entry(at, "buyer", words, id_))
        return self.posts(letter, arrives, folder)

    def stranger_writes(
        self, talk: Talk, words: str, at: datetime | None = None, folder: str = INBOX
    ) -> Letter:
        """Somebody else writes under the buyer's address; the check of it fails."""
        at = at or self.clock()
        written = Written(words, f"Re: {self._subject(talk)}")
        id_ = self._id("evil.example")
        letter = letters.by_buyer(written, talk.name, talk.mail, self.user, id_, at, "fail")
        return self.posts(letter, folder=folder)

    def robot_fills_form(self, count: int, at: datetime | None = None) -> list[Letter]:
        """A robot fills in the form so many times, each time as somebody else."""
        at = at or self.clock()
        found = []
        for number in range(count):
            mail = f"r{self.random.getrandbits(40):010x}@robots.example"
            written = Written(f"Visit my page {number}", "Hello")
            id_ = self._id("shop.example")
            letter = letters.by_form(written, "Robot", mail, self.user, id_, at, automatic=True)
            found.append(self.posts(letter))
        return found

    def newsletter_comes(self, at: datetime | None = None) -> Letter:
        """A list sends something."""
        at = at or self.clock()
        return self.posts(letters.newsletter(self.user, self._id("news.example"), at))

    def marketplace_writes(self, at: datetime | None = None) -> Letter:
        """A marketplace tells of something there."""
        at = at or self.clock()
        return self.posts(letters.of_marketplace(self.user, self._id("etsy.com"), at))

    def spam_comes(self, at: datetime | None = None, folder: str = JUNK) -> Letter:
        """Somebody wants to sell something to the shop."""
        at = at or self.clock()
        return self.posts(letters.spam(self.user, self._id("spam.example"), at), folder=folder)

    def posts(self, letter: Letter, arrives: datetime | None = None, folder: str = INBOX) -> Letter:
        """Send *letter* on its way into the mailbox."""
        at = max(arrives or letter.at, letter.at)
        told = partial(letters.arrived, letter, self.user, self.server)
        self.post.send(self.user, letter.message_id, told, at, folder)
        return letter

    # What the shop's agents do

    def answers_elsewhere(
        self, talk: Talk, words: str, at: datetime | None = None, *, refers: bool = True,
        to: str | None = None,
    ) -> Letter:  # fmt: skip
        """Somebody answers with a mail program, which keeps what it sends.

        To somebody else than the buyer it is passed on, and no answer.
        """
        at = at or self.clock()
        mark = "Re" if to is None else "Fwd"
        asked = next((one.text for one in reversed(talk.entries) if one.by == "buyer"), "")
        written = Written(words, f"{mark}: {self._subject(talk)}", asked, talk.ids, refers)
        id_ = self._id(self.sender.rpartition("@")[2])
        letter = letters.by_agent(written, self.sender, to or talk.mail, id_, at)
        self.post.send(self.user, id_, lambda _: letter.raw, at, SENT)
        if to is None:
            talk.entries.append(Entry(at, "seller", words, id_))
        return letter

    def answer_fails(self, talk: Talk, at: datetime | None = None) -> Letter | None:
        """The newest answer in *talk* comes back."""
        last = next((one for one in reversed(talk.entries) if one.by == "seller"), None)
        if last is None:
            return None
        talk.failed.add(last.message_id)
        raw = f"Message-ID: <{last.message_id}>\r\n\r\n".encode()
        return self._reports(DEAD, talk.mail, raw, at or self.clock())

    # What becomes of a letter that leaves

    def takes(self, taken: Taken, at: datetime) -> str | None:
        """The server takes a letter, and passes it on."""
        if self.saves_sent:
            kept = letters.kept(taken.raw, at)
            self.post.send(self.user, kept.message_id, lambda _: kept.raw, at, SENT)
        for recipient in taken.recipients:
            self._deliver(taken.raw, recipient, at)
        return None

    def _deliver(self, raw: bytes, recipient: str, at: datetime) -> None:
        id_ = mail_writing.message_id(raw)
        talk = self._talk_of(raw, recipient)
        fate = self.next_fates.popleft() if self.next_fates else "delivered"
        self.outcomes.append(Outcome(at, id_, fate, talk.id if talk else None))
        if talk is None:
            return
        counts = b"\r\nauto-submitted: auto" not in raw.partition(b"\r\n\r\n")[0].lower()
        talk.entries.append(Entry(at, "seller", raw.decode("utf-8", "replace"), id_, counts))
        self._follow(talk, fate, raw, at)
        if counts and fate in {"delivered", "away"} and self.on_answer is not None:
            self.on_answer(talk, at)

    def _follow(self, talk: Talk, fate: Fate, raw: bytes, at: datetime) -> None:
        id_ = mail_writing.message_id(raw)
        if fate == "dead":
            talk.failed.add(id_)
            self._reports(DEAD, talk.mail, raw, at)
        elif fate == "late":
            self._reports(LATE, talk.mail, raw, at)
        elif fate == "away":
            then = self._soon(at)
            domain = talk.mail.rpartition("@")[2]
            self.posts(letters.away(talk.mail, self.user, id_, self._id(domain), then))

    def _talk_of(self, raw: bytes, recipient: str) -> Talk | None:
        """The conversation that a letter answers, as the buyer's program would show it."""
        head = raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
        those = [one for one in self.talks.values() if one.mail == recipient]
        named = (one for one in those if any(f"<{id_}>" in head for id_ in one.ids))
        return next(named, next(iter(reversed(those)), None))

    def forget(self, talk: Talk) -> None:
        """Drop a conversation and its letters."""
        self.talks.pop(talk.id, None)
        self.post.drop(talk.ids)

    def _reports(self, failure: Failure, to: str, raw: bytes, at: datetime) -> Letter:
        then, id_ = self._soon(at), self._id(self.server)
        told = mail_writing.report(failure, self.server, self.user, to, raw, then, id_)
        return self.posts(letters.Letter(id_, then, told, self.server, "none"))

    def _subject(self, talk: Talk) -> str:
        return f"[Contact] {talk.subject}" if talk.way == "form" else talk.subject

    def _soon(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.random.uniform(*SOON))

    def _id(self, domain: str) -> str:
        return f"{self.random.getrandbits(64):016x}@{domain}"
