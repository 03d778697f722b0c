"""What Amazon's letters say, in the language that the seller gets them in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

Era = Literal["current", "older"]

FALLBACK = "en"
CANADA = {
    "opens": "",
    "old_opens": "Begin message / Début du message",
    "closes": "End message / Fin du message",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """One language's words; what the lists hold stands above them in ``wording.toml``."""

    greeting: str
    opens: str
    old_opens: str
    closes: str
    survey: str
    solve: str
    report: str
    retained: str
    subjects: list[str]
    subject_without_order: str
    marker: str
    form: list[str]
    copy: list[str]
    opt_out: list[str]
    unapproved: list[str]
    cancellation: list[str]
    returned: list[str]
    refund: list[str]
    claim: list[str]
    decision: list[str]
    chargeback: list[str]

    def opening(self, era: Era) -> str:
        """What stands between the dashes above the buyer's words."""
        return self.opens if self.opens and era == "current" else self.old_opens


@cache
def known() -> dict[str, Wording]:
    """Every language."""
    text = resources.files("connectors.amazon.sandbox").joinpath("wording.toml").read_text("utf-8")
    said = tomllib.loads(text)
    said["ca"] = {**said["en"], **CANADA}
    return {language: Wording(**words) for language, words in said.items()}


def of(language: str) -> Wording:
    """The words of *language*, English where Amazon's own are not known."""
    return known().get(language) or known()[FALLBACK]


def misread(text: str) -> str:
    """*text* in UTF-8 that somebody took for Windows' Latin, as older French letters came."""
    return text.encode().decode("cp1252", "replace")
