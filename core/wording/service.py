"""What is said of the telling itself, and of what a person is to do in their own time. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.spoken import span
from core.wording.told import deadline

if TYPE_CHECKING:
    from core.wording.told import Spoken, Told


def review(told: Told) -> Spoken:
    return f"Review the promise {told.fact('promise')}", [
        f"Version {told.fact('version')} was to be checked again by {told.fact('day')}.",
        "What to do: read the source again; write a new version, or a new date of review.",
    ]


def climbed(told: Told, subject: str, lines: list[str]) -> Spoken:
    """What a rung says: *subject* and *lines* are of the notice that nobody has acted upon."""
    began, rung, rungs = told.at("began_at"), told.fact("rung"), told.fact("rungs")
    since = f" on {told.when(began)}" if began else ""
    acted = "answered or claimed it" if told.notice.thread else "acknowledged it, and it goes on"
    again = rung and rungs and int(rung) > int(rungs)
    which = "its last rung again" if again else f"rung {rung or 1} of {rungs or 1}"
    ladder = f" of the ladder {told.fact('ladder')}" if told.fact("ladder") else ""
    return f"Still open: {subject}", [
        f"This was told{since}, and nobody has {acted}.",
        f"So you are told: {which}{ladder}.",
        *lines,
    ]


def parked(told: Told) -> Spoken:
    kind = told.fact("kind").replace("_", " ")
    return f"Not delivered: {kind}", [
        f"A notice ({kind}) could not be delivered by {told.fact('notifier')}.",
        f"Reason: {told.fact('reason').replace('_', ' ')}.",
        *deadline(told),
        "What to do: mend that notifier, then: replyby notices retry",
    ]


def test(told: Told) -> Spoken:
    return "Test", [
        f"A person asked for this notice at {told.when(told.notice.raised_at)}.",
        "It has reached you. What to do: nothing.",
    ]


def disk_low(told: Told) -> Spoken:
    """Little is free where the database lies."""
    left, size = told.fact("left"), _bytes(told.fact("size"))
    pace = f"At the pace of the last hour it is full in {_span(left)}." if left else ""
    return f"Disk nearly full: {_bytes(told.fact('free'))} free", [
        f"Where the database lies {_bytes(told.fact('free'))} of {size} are free.",
        pace,
        "When it is full nothing is stored and no deadline is told until there is room again;",
        "what is stored by then stays whole.",
        "What to do: make room there now, or give the disk more: runbook, disk_low.",
    ]


def disk_freed(told: Told) -> Spoken:
    """There is room again."""
    size = _bytes(told.fact("size"))
    return "Disk has room again", [
        f"Where the database lies {_bytes(told.fact('free'))} of {size} are free.",
        "What to do: nothing.",
    ]


def _span(seconds: str) -> str:
    return span(timedelta(seconds=float(seconds)))


def _bytes(n: str) -> str:
    """*n* bytes as a person reads them: ``1.5 GiB``."""
    size = float(n or 0)
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def digest(told: Told) -> Spoken:
    return "Digest", [f"{told.fact('breaches')} late, {told.fact('warnings')} due soon."]
