"""What earlier letters left behind, for those to come: part of the cursor.

It holds no name, address, subject or order: only digests of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from core.transport.filing import digest

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MOST_LETTERS, MOST_TIES = 5_000, 10_000
"""So many are remembered, the newest. Where they are more, the oldest tenth goes at once: to look
for the oldest alone costs as much. A flood through a form takes the place of older ones: their
conversations are then told by what a letter itself refers to (`joining`)."""


class Known(NamedTuple):
    """A letter that was read in *thread* and arrived *at*; *mark* tells it from its namesakes.

    One of which another letter tells, and which nobody has read yet, has no mark.
    """

    thread: str
    at: int
    mark: str = ""


class Tie(NamedTuple):
    """What ties letters to *thread*, and the newest instant at which it was seen."""

    thread: str
    at: int


@dataclass(slots=True)
class Memory:
    """*letters* by the digest of their ids, *ties* by the digest of what they have in common.

    Instants are whole seconds since 1970. It changes while letters are read: whoever wants to keep
    one makes a `copy`.
    """

    letters: dict[str, Known] = field(default_factory=dict)
    ties: dict[str, Tie] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Memory:
        """What `write` wrote; nothing where there is none."""
        said: dict[str, dict[str, Any]] = json.loads(text) if text else {}
        return cls(
            {name: Known(*one) for name, one in said.get("letters", {}).items()},
            {name: Tie(*one) for name, one in said.get("ties", {}).items()},
        )

    def write(self) -> str:
        """As text, the same for the same memory."""
        said = {"letters": self.letters, "ties": self.ties}
        return json.dumps(said, sort_keys=True, separators=(",", ":"))

    def copy(self) -> Memory:
        """One that may change by itself."""
        return Memory(dict(self.letters), dict(self.ties))

    def letter(self, message_id: str) -> Known | None:
        """What is known of the letter *message_id*."""
        return self.letters.get(digest(message_id))

    def tie(self, *words: str) -> Tie | None:
        """What is known of what these words tie together."""
        return self.ties.get(_key(words))

    def note_letter(self, message_id: str, thread: str, at: datetime, mark: str) -> None:
        """Remember a letter that was read."""
        self.letters[digest(message_id)] = Known(thread, _second(at), mark)

    def note_unread(self, message_id: str, thread: str, at: datetime) -> None:
        """Remember a letter that one in *thread* tells of, unless it is known."""
        self.letters.setdefault(digest(message_id), Known(thread, _second(at)))

    def note_tie(self, thread: str, at: datetime, *words: str) -> None:
        """Remember that these words tie to *thread*; the newest counts."""
        key, tie = _key(words), Tie(thread, _second(at))
        if key not in self.ties or self.ties[key].at <= tie.at:
            self.ties[key] = tie

    def forget(self, before: datetime) -> None:
        """Drop what is older, and what is too much."""
        since = _second(before)
        letters = {name: one for name, one in self.letters.items() if one.at >= since}
        ties = {name: one for name, one in self.ties.items() if one.at >= since}
        self.letters = _newest(letters, MOST_LETTERS, lambda one: one.at)
        self.ties = _newest(ties, MOST_TIES, lambda one: one.at)


def _key(words: tuple[str, ...]) -> str:
    return digest("\n".join(words))


def _second(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())


def _newest(found: dict[str, T], most: int, at: Callable[[T], int]) -> dict[str, T]:
    """*found* where it is not too large, else the newest of it."""
    if len(found) <= most:
        return found
    names = sorted(found, key=lambda name: (at(found[name]), name))
    return {name: found[name] for name in names[len(found) - most + most // 10 :]}
