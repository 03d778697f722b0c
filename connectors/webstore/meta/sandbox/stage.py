"""One line, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.meta.sandbox.graph import Graph, Line, Person
    from connectors.webstore.meta.sandbox.server import Sandbox
    from core.sandbox.people import Buyer, Letter

NAMELESS = 0.1
"""How many hide their number."""


@dataclass(slots=True)
class LineStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is a person's id."""

    sandbox: Sandbox
    line: Line

    @property
    def graph(self) -> Graph:
        return self.sandbox.graph

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:  # noqa: ARG002  # the letter names it
        """A buyer writes for the first time."""
        person = self.graph.add_person(self.line, buyer.name, buyer.phone)
        person.shows_number = bool(buyer.phone) or self.graph.random.random() >= NAMELESS
        self.graph.says(self.line, person, letter.text, at=at)
        return person.id

    def is_waiting(self, thread: str) -> bool:
        return self.line.is_waiting(self._person(thread))

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        self.graph.says(self.line, self._person(thread), text, at=at)

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        """The pretend agent answers in the app, or on the page."""
        self.graph.says(self.line, self._person(thread), text, at=at, author="elsewhere")

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """Nobody else reads such a chat."""

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """Meta writes into no chat."""

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """There is no mark that would say so."""

    def open_case(self, thread: str, at: datetime) -> None:
        """There are no cases."""

    def close_case(self, thread: str, at: datetime) -> None:
        """There are no cases."""

    def forget(self, thread: str) -> None:
        """The person is no longer there."""
        person = self.line.people.pop(thread, None)
        self.line.said = [one for one in self.line.said if one.person is not person]

    def _person(self, thread: str) -> Person:
        return self.line.people[thread]
