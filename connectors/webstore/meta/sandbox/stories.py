"""What invented people do in chats while the first run plays, in units of a promise of a minute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.sandbox.scene import Script

if TYPE_CHECKING:
    from core.sandbox.scene import Story

PROMISE = timedelta(minutes=1)

STORIES: dict[str, Story] = {
    "answered": ((0, "ask"), (0.4, "answer")),
    "thanked": ((0, "ask"), (0.35, "answer"), (0.7, "thank"), (1.1, "answer")),
    "close": ((0, "ask"), (0.75, "answer")),
    "pressed": ((0, "ask"), (0.3, "press"), (0.75, "answer")),
    "late": ((0, "ask"), (1.6, "answer")),
    "complained": ((0, "ask"), (0.8, "complain"), (1.3, "answer"), (1.6, "press"), (2.2, "answer")),
    "never": ((0, "ask"), (0.9, "press")),
}

OPENING: tuple[tuple[float, str], ...] = (
    (-30, "answered"),
    (-10, "late"),
    (-5, "never"),
    (-0.75, "late"),
    (-0.4, "close"),
    (-0.1, "answered"),
    (0.05, "pressed"),
    (0.2, "complained"),
)

LATER: dict[str, int] = {
    "answered": 8,
    "thanked": 4,
    "close": 3,
    "pressed": 3,
    "late": 2,
    "complained": 2,
    "never": 1,
}

SCRIPT = Script(STORIES, OPENING, LATER)
