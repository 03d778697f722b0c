"""What is read next of a mailbox's folders, and how far each was read: a connector's cursor.

The folder that is furthest behind comes first, so that a question and its answer, which lie in two
folders, are read at nearly the same time however much there is to read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from core.transport.mailbox import Letter, Letters

    Read = Callable[[str, str | None, datetime, int], Awaitable[Letters]]

MOST, MOST_BYTES, MOST_SECONDS = 200, 16 * 2**20, 20.0
"""A page ends at so many letters, bytes or seconds."""

FIRST = datetime.min.replace(tzinfo=UTC)


class Memory(Protocol):
    """What a connector keeps of the letters that were read, for those to come."""

    def write(self) -> str:
        """As text, the same for the same memory."""
        ...


MemoryT = TypeVar("MemoryT", bound=Memory)


@dataclass(frozen=True, slots=True)
class Spot:
    """How far a folder was read: *position* as the mailbox says it, *through* by arrival."""

    position: str | None = None
    through: datetime = FIRST


@dataclass(frozen=True, slots=True)
class Place(Generic[MemoryT]):
    """How far a mailbox was read.

    *memory* is what the letters read so far left behind. *spots* by folder. *since* is the
    look-back of a walk that has not come to its end, *done* are the folders that it has read.
    """

    memory: MemoryT
    spots: Mapping[str, Spot] = field(default_factory=dict)
    since: datetime | None = None
    done: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str | None, remembered: Callable[[str | None], MemoryT]) -> Place[MemoryT]:
        """What `write` wrote; where nothing was read where there is none.

        *remembered* reads the memory, from None where there is none either.
        """
        head, _, memory = (text or "{}").partition("\n")
        said: dict[str, Any] = json.loads(head)
        return cls(
            remembered(memory or None),
            {
                name: Spot(at, _instant(through))
                for name, (at, through) in said.get("at", {}).items()
            },
            _instant(said["since"]) if said.get("since") else None,
            frozenset(said.get("done", ())),
        )

    def write(self) -> str:
        """As text: a line of ours, and the memory."""
        said = {
            "at": {
                name: [one.position, one.through.isoformat()] for name, one in self.spots.items()
            },
            "since": self.since and self.since.isoformat(),
            "done": sorted(self.done),
        }
        told = {name: value for name, value in said.items() if value}
        return f"{json.dumps(told, sort_keys=True)}\n{self.memory.write()}"

    def begun(self, since: datetime) -> Place[MemoryT]:
        """Where a walk begins that looks back to *since*, or further if an earlier one did.

        What an earlier walk had read by its own end says nothing of what came since.
        """
        return replace(self, since=self.since or since, done=frozenset())

    def ended(self) -> Place[MemoryT]:
        """Where a walk has ended: the same while nothing comes, so that nothing is to be written.

        No folder is behind another then.
        """
        spots = {name: Spot(one.position) for name, one in self.spots.items()}
        return replace(self, spots=spots, since=None, done=frozenset())


@dataclass(frozen=True, slots=True)
class Portion(Generic[MemoryT]):
    """Letters of all folders in the order of their arrival, and the *place* after them."""

    letters: tuple[Letter, ...]
    place: Place[MemoryT]
    more: bool


async def portion(
    read: Read, folders: Sequence[str], place: Place[MemoryT], now: datetime, most: int = MOST
) -> Portion[MemoryT]:
    """The next letters of *folders*, *most* of them, from *place* on, which a walk has begun.

    Raises:
        ConnectorError: nothing of this portion is known.
    """
    since, began = place.since or now, monotonic()
    spots, done = dict(place.spots), set(place.done)
    letters: list[Letter] = []
    while (left := [name for name in folders if name not in done]) and (
        len(letters) < most and _has_room(letters, began)
    ):
        name = min(left, key=lambda one: spots.get(one, Spot()).through)
        got = await read(name, spots.get(name, Spot()).position, since, most - len(letters))
        letters += got.letters
        spots[name] = Spot(got.position, _last(got, spots.get(name, Spot())) if got.more else now)
        done.update([] if got.more else [name])
    after = replace(place, spots=spots, done=frozenset(done))
    return Portion(tuple(sorted(letters, key=_arrival)), after, more=bool(left))


def _has_room(letters: Sequence[Letter], began: float) -> bool:
    size = sum(len(each.raw) for each in letters)
    return size < MOST_BYTES and monotonic() - began < MOST_SECONDS


def _last(got: Letters, before: Spot) -> datetime:
    arrived = (each.arrived_at for each in got.letters if each.arrived_at)
    return max(arrived, default=before.through)


def _arrival(letter: Letter) -> tuple[datetime, str, int]:
    return letter.arrived_at or FIRST, letter.folder, letter.uid


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
