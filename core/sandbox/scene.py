"""Plays invented people on a stand-in: buyers who write, an agent who answers some of them.

A scene is a list of stories. A story is what happens in one thread, in units of the promise: with a
promise of a minute, an answer at 0.4 comes after 24 seconds. `once` does what is due and says when
to look again; it reads no clock.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Literal, Protocol

from core.sandbox import people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime

    from core.sandbox.people import Buyer, Letter, Mood, Regular

Act = Literal[
    "ask",
    "press",
    "mail",
    "complain",
    "thank",
    "answer",
    "ask_marketplace",
    "marketplace",
    "no_need",
    "open_case",
    "close_case",
]

Story = tuple[tuple[float, Act], ...]

STORIES: dict[str, Story] = {
    "answered": ((0, "ask"), (0.4, "answer")),
    "thanked": ((0, "ask"), (0.35, "answer"), (0.7, "thank"), (1.2, "no_need")),
    "close": ((0, "ask"), (0.85, "answer")),
    "pressed": ((0, "ask"), (0.3, "press"), (0.7, "mail"), (0.92, "answer")),
    "late": ((0, "ask"), (1.6, "answer")),
    "complained": ((0, "ask"), (0.8, "complain"), (1.3, "answer"), (1.6, "mail"), (2.2, "answer")),
    "misdirected": ((0, "ask"), (0.5, "ask_marketplace"), (1.5, "answer")),
    "watched": ((0, "ask"), (0.3, "marketplace"), (0.7, "answer")),
    "dismissed": ((0, "ask"), (0.5, "no_need")),
    "case": ((0, "ask"), (0.2, "open_case"), (0.5, "answer"), (1.5, "close_case")),
    "never": ((0, "ask"), (0.9, "press"), (20, "no_need")),
}

OPENING: tuple[tuple[float, str], ...] = (
    (-180, "answered"),
    (-120, "late"),
    (-10, "never"),
    (-0.75, "late"),
    (-0.6, "never"),
    (-0.5, "close"),
    (-0.1, "answered"),
    (0, "dismissed"),
    (0.05, "case"),
    (0.1, "pressed"),
    (0.2, "misdirected"),
)

LATER: dict[str, int] = {
    "answered": 6,
    "thanked": 4,
    "close": 3,
    "pressed": 3,
    "late": 2,
    "complained": 2,
    "misdirected": 1,
    "watched": 2,
    "dismissed": 2,
    "case": 1,
    "never": 1,
}


@dataclass(frozen=True, slots=True)
class Script:
    """What is played: *stories* by name.

    *opening*: when each story of the beginning begins, in units of the promise, before or after the
    scene does; *later*: how often each of the others comes.
    """

    stories: Mapping[str, Story]
    opening: Sequence[tuple[float, str]]
    later: Mapping[str, int]


USUAL = Script(STORIES, OPENING, LATER)

REGULAR: Story = ((0.1, "ask"), (1.1, "press"), (12, "answer"))
"""What a regular does, in units of the promise: long enough for somebody to see it."""

MOODS: dict[Act, Mood] = {
    "ask": "openings",
    "press": "follow_ups",
    "mail": "follow_ups",
    "complain": "complaints",
    "thank": "thanks",
    "answer": "answers",
    "ask_marketplace": "asks_marketplace",
    "marketplace": "marketplace",
}


LATEST = 0.1
"""How much later than in `OPENING` a story may begin there, in units of the promise."""

TEMPO, PACE = (0.9, 1.0), (0.75, 1.25)
"""Between which factors the tempo of a story and the time to the next one differ from the plan."""


class Stage(Protocol):
    """One shop on a stand-in, as the people of a scene use it; *at* is when it happens."""

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """A buyer writes for the first time about an order; the thread's id."""

    def is_waiting(self, thread: str) -> bool:
        """Whether somebody still waits for the shop in this thread."""

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None: ...

    def agent_answers(self, thread: str, text: str, at: datetime) -> None: ...

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None: ...

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None: ...

    def agent_sees_no_need(self, thread: str, at: datetime) -> None: ...

    def open_case(self, thread: str, at: datetime) -> None: ...

    def close_case(self, thread: str, at: datetime) -> None: ...

    def forget(self, thread: str) -> None:
        """The marketplace no longer shows this thread."""


@dataclass(slots=True)
class Plot:
    """One story on its way: who, about which order, what is still to come."""

    buyer: Buyer
    order: str
    beats: deque[tuple[datetime, Act]]
    thread: str = ""
    answer: str = ""


@dataclass(slots=True)
class Scene:
    """People on one *stage*, who were promised an answer *within* this time.

    Who they are, what they say and when depends on *seed* alone: shops that open together are not
    in step, and each shows every end of a clock within the time of the promise.

    *pace* is the time from one story's begin to the next, in units of the promise, once the opening
    has begun. The *regular* asks here too, once. At most *threads* threads exist: the oldest that
    is over makes room for a new one.
    """

    stage: Stage
    within: timedelta = timedelta(minutes=1)
    seed: int = 0
    languages: Sequence[str] = people.LANGUAGES
    threads: int = 30
    pace: float = 1.5
    script: Script = USUAL
    regular: Regular | None = None
    number: Callable[[Random], str] = people.order_number
    _random: Random = field(init=False)
    _next_story: datetime | None = None
    _due: list[tuple[datetime, int, Plot]] = field(default_factory=list)
    _plots: deque[Plot] = field(default_factory=deque)
    _begun: int = 0

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def once(self, now: datetime) -> datetime:
        """Do what is due at *now*; the instant at which something is due again.

        What happened before the first call is told at its own time; whoever comes late to a later
        one (a machine that slept) acts now, as people do.
        """
        if self._next_story is None:
            self._next_story = self._open(now)
        elif self._next_story <= now:
            self._begin(self._draw(), now)
            self._next_story = now + self._pause()
        while self._due and self._due[0][0] <= now:
            self._do(heapq.heappop(self._due)[2], now)
        coming = [due[0] for due in self._due[:1]]
        return min([*coming, self._next_story])

    def _open(self, now: datetime) -> datetime:
        for begin, name in self.script.opening:
            later = self._random.uniform(0, LATEST)
            self._begin(self.script.stories[name], now + self.within * (begin + later))
        if self.regular is not None:
            beats = deque((now + self.within * after, act) for after, act in REGULAR)
            self._await(self._plot(self.regular.buyer, self.regular.order, beats))
        while self._due and self._due[0][0] <= now:
            at, _, plot = heapq.heappop(self._due)
            self._do(plot, at)
        return now + self._pause() / 2

    def _pause(self) -> timedelta:
        return self.within * self.pace * self._random.uniform(*PACE)

    def _draw(self) -> Story:
        later = self.script.later
        return self.script.stories[self._random.choices(list(later), list(later.values()))[0]]

    def _begin(self, story: Story, at: datetime) -> None:
        if not self._room():
            return
        unit = self.within * self._random.uniform(*TEMPO)
        beats = deque((at + unit * after, act) for after, act in story)
        someone = people.buyer(self._random, self.languages)
        self._await(self._plot(someone, self.number(self._random), beats))

    def _plot(self, someone: Buyer, order: str, beats: deque[tuple[datetime, Act]]) -> Plot:
        """A story that has room."""
        plot = Plot(someone, order, beats)
        self._plots.append(plot)
        return plot

    def _room(self) -> bool:
        """Whether there is room for one more thread, making it where a story is over."""
        if len(self._plots) < self.threads:
            return True
        over = next((plot for plot in self._plots if not plot.beats), None)
        if over is None:
            return False
        self._plots.remove(over)
        self.stage.forget(over.thread)
        return True

    def _await(self, plot: Plot) -> None:
        if plot.beats:
            self._begun += 1
            heapq.heappush(self._due, (plot.beats[0][0], self._begun, plot))

    def _do(self, plot: Plot, at: datetime) -> None:
        _, act = plot.beats.popleft()
        mood = MOODS.get(act)
        said = people.letter(self._random, plot.buyer.language, mood, plot.order) if mood else None
        if act == "ask" and said:
            plot.thread = self.stage.open(plot.buyer, plot.order, said, at)
        else:
            self._go_on(plot, act, said.text if said else "", at)
        self._await(plot)

    def _go_on(self, plot: Plot, act: Act, text: str, at: datetime) -> None:
        if act in ("answer", "no_need", "ask_marketplace"):
            self._agent(plot, act, text, at)
        elif act == "marketplace":
            self.stage.marketplace_writes(plot.thread, text, at)
        elif act == "open_case":
            self.stage.open_case(plot.thread, at)
        elif act == "close_case":
            self.stage.close_case(plot.thread, at)
        elif act == "mail":
            self.stage.buyer_writes(
                plot.thread, people.outlook(plot.buyer, text, plot.answer, at), at
            )
        else:
            self.stage.buyer_writes(plot.thread, text, at)

    def _agent(self, plot: Plot, act: Act, text: str, at: datetime) -> None:
        """The pretend agent; somebody real may have been quicker."""
        if not self.stage.is_waiting(plot.thread):
            return
        if act == "answer":
            plot.answer = text
            self.stage.agent_answers(plot.thread, text, at)
        elif act == "no_need":
            self.stage.agent_sees_no_need(plot.thread, at)
        else:
            self.stage.agent_asks_marketplace(plot.thread, text, at)


SHORTEST_NAP, LONGEST_NAP = 0.05, 1.0


@asynccontextmanager
async def playing(scenes: Sequence[Scene], clock: Callable[[], datetime]) -> AsyncIterator[None]:
    """Play while entered."""
    task = asyncio.create_task(play(scenes, clock), name="sandbox-scene")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def play(scenes: Sequence[Scene], clock: Callable[[], datetime]) -> None:
    """Play until cancelled."""
    while True:
        now = clock()
        again = min(scene.once(now) for scene in scenes)
        wait = (again - now).total_seconds()
        await asyncio.sleep(min(max(wait, SHORTEST_NAP), LONGEST_NAP))
