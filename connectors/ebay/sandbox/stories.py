"""What invented people do at eBay while the first run plays, in units of a promise of a minute.

Its own are dossiers: a return of an hour ago, for which eBay gives some working days, and others
whose date comes within minutes.
"""

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
    "watched": ((0, "ask"), (0.3, "marketplace"), (0.7, "answer")),
    "case": ((0, "ask"), (0.2, "open_case"), (0.5, "answer"), (1.8, "close_case")),
    "dossier": ((0, "ask"), (0.2, "open_case"), (0.5, "answer")),
    "never": ((0, "ask"), (0.9, "press")),
}

OPENING: tuple[tuple[float, str], ...] = (
    (-180, "answered"),
    (-120, "late"),
    (-60, "dossier"),
    (-30, "watched"),
    (-10, "never"),
    (-0.9, "late"),
    (-0.75, "late"),
    (-0.6, "never"),
    (-0.4, "close"),
    (-0.1, "answered"),
    (-0.1, "case"),
    (0.05, "watched"),
    (0.1, "pressed"),
    (0.2, "case"),
    (0.4, "dossier"),
)

LATER: dict[str, int] = {
    "answered": 8,
    "thanked": 4,
    "close": 3,
    "pressed": 3,
    "late": 2,
    "complained": 2,
    "watched": 2,
    "case": 4,
    "dossier": 2,
    "never": 1,
}

SCRIPT = Script(STORIES, OPENING, LATER)
