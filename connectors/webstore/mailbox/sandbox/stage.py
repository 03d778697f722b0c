"""One shop's mailbox, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, get_args

from connectors.webstore.mailbox.sandbox.letters import Shape
from core.sandbox import people
from core.sandbox.mail_post import INBOX, JUNK
from core.sandbox.scene import Script

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from connectors.webstore.mailbox.sandbox.shop import Shop, Talk
    from core.sandbox.people import Buyer, Letter
    from core.sandbox.scene import Story

PROMISE = timedelta(minutes=1)
SUPPLIER = "stock@supplier.example"

STORIES: dict[str, Story] = {
    "answered": ((0, "ask"), (0.4, "answer")),
    "thanked": ((0, "ask"), (0.35, "answer"), (0.7, "thank"), (1.1, "answer")),
    "close": ((0, "ask"), (0.85, "answer")),
    "pressed": ((0, "ask"), (0.3, "press"), (0.7, "mail"), (0.92, "answer")),
    "late": ((0, "ask"), (1.6, "answer")),
    "complained": ((0, "ask"), (0.8, "complain"), (1.3, "answer"), (1.6, "press"), (2.2, "answer")),
    "passed_on": ((0, "ask"), (0.5, "ask_marketplace"), (1.5, "answer")),
    "watched": ((0, "ask"), (0.3, "marketplace"), (0.7, "answer")),
    "came_back": ((0, "ask"), (0.3, "answer"), (0.5, "open_case"), (1.4, "answer")),
    "never": ((0, "ask"), (0.9, "press")),
}

OPENING: tuple[tuple[float, str], ...] = (
    (-1140, "never"),
    (-180, "answered"),
    (-120, "late"),
    (-0.75, "late"),
    (-0.6, "never"),
    (-0.5, "close"),
    (-0.1, "answered"),
    (0, "watched"),
    (0.05, "came_back"),
    (0.1, "pressed"),
    (0.2, "passed_on"),
)

LATER: dict[str, int] = {
    "answered": 8, "thanked": 4, "close": 3, "pressed": 3, "late": 2, "complained": 2,
    "passed_on": 2, "watched": 2, "came_back": 1, "never": 1,
}  # fmt: skip

SCRIPT = Script(STORIES, OPENING, LATER)

AT_ONCE, HELD_BACK = (0.2, 3.0), (5.0, 20.0)
"""Seconds on the way: usually, and where a letter is late."""

# Of letters, and of answers given elsewhere; how often they happen is a guess of ours.
BY_FORM, LATE, TWICE, IN_JUNK, UNREFERRED = 0.3, 0.1, 0.05, 0.05, 0.2


@dataclass(slots=True)
class MailboxStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is a talk's id."""

    shop: Shop
    said: dict[str, str] = field(default_factory=dict)

    @property
    def random(self) -> Random:
        return self.shop.random

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """A buyer writes for the first time, by mail or by the shop's form."""
        way: Literal["mail", "form"] = "form" if self._happens(BY_FORM) else "mail"
        talk = self.shop.open(
            buyer.name, buyer.email, letter.subject, order=order, language=buyer.language, way=way
        )
        self._write(talk, letter.text, at)
        return talk.id

    def is_waiting(self, thread: str) -> bool:
        return self._talk(thread).is_waiting(self.shop.clock())

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        """The buyer writes once more; what a mail program quotes stands below it."""
        plain = "And? I am still waiting." if text.lstrip().startswith("<html") else text
        self._write(self._talk(thread), plain, at, self.said.get(thread, ""))

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        """The pretend agent answers with a mail program."""
        self.said[thread] = text
        refers = not self._happens(UNREFERRED)
        self.shop.answers_elsewhere(self._talk(thread), text, at, refers=refers)

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """The pretend agent passes it on to a supplier, which answers nobody."""
        self.shop.answers_elsewhere(self._talk(thread), text, at, to=SUPPLIER)

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:  # noqa: ARG002  # nothing of a talk
        """What nobody of the shop is asked by: a list, a marketplace, what nobody wants."""
        self.random.choice(
            (self.shop.newsletter_comes, self.shop.marketplace_writes, self.shop.spam_comes)
        )(at)

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """Nobody says so by mail."""

    def open_case(self, thread: str, at: datetime) -> None:
        """The answer comes back."""
        self.shop.answer_fails(self._talk(thread), at)

    def close_case(self, thread: str, at: datetime) -> None:
        """Nothing is closed by mail."""

    def forget(self, thread: str) -> None:
        self.said.pop(thread, None)
        self.shop.forget(self._talk(thread))

    def writes_again(self, talk: Talk, at: datetime) -> None:
        """A buyer writes once more upon an answer."""
        said = people.letter(self.random, talk.language, "thanks", talk.order)
        self._write(talk, said.text, at + timedelta(seconds=self.random.uniform(15, 45)))

    def _write(self, talk: Talk, words: str, at: datetime, quoted: str = "") -> None:
        if self._happens(TWICE):
            self.shop.post.twice += 1
        self.shop.buyer_writes(
            talk, words, at,
            arrives=self._arrives(at),
            folder=JUNK if self._happens(IN_JUNK) else INBOX,
            shape=self.random.choices(get_args(Shape), (4, 2, 3, 1))[0],
            refers=not self._happens(UNREFERRED),
            quoted=quoted,
        )  # fmt: skip

    def _arrives(self, at: datetime) -> datetime:
        seconds = HELD_BACK if self._happens(LATE) else AT_ONCE
        return at + timedelta(seconds=self.random.uniform(*seconds))

    def _happens(self, share: float) -> bool:
        return self.random.random() < share

    def _talk(self, thread: str) -> Talk:
        return self.shop.talks[thread]
