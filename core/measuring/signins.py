"""How signing in to the board went."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.instruments import Shelf

OUTCOMES = {
    "password": ("success", "wrong", "wait", "busy"),
    "oidc": ("success", "refused"),
    "link": ("success",),
}
"""By means. ``wait``: it was not time to try again; ``busy``: too many wanted to at once."""
WORDS = tuple(dict.fromkeys(word for words in OUTCOMES.values() for word in words))


class SignIns:
    """A counter of tries to sign in, each combination from the start."""

    def __init__(self, of: Shelf) -> None:
        self._counter = of.counter(
            "sign_ins",
            "Tries to sign in to the board by what became of them.",
            "means outcome",
            means=tuple(OUTCOMES),
            outcome=WORDS,
        )
        for means, outcomes in OUTCOMES.items():
            for outcome in outcomes:
                self._counter.labels(means, outcome).inc(0)

    def count(self, means: str, outcome: str) -> None:
        """Count one."""
        self._counter.labels(means, outcome).inc()
