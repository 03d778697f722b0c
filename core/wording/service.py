"""What is said of the telling itself, and of what a person is to do in their own time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.wording.told import deadline

if TYPE_CHECKING:
    from core.wording.told import Spoken, Told


def review(told: Told) -> Spoken:
    return f"Review the promise {told.fact('promise')}", [
        f"Version {told.fact('version')} was to be checked again by {told.fact('day')}.",
        "What to do: read the source again; write a new version, or a new date of review.",
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


def digest(told: Told) -> Spoken:
    return "Digest", [f"{told.fact('breaches')} late, {told.fact('warnings')} due soon."]
