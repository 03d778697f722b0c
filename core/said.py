"""Sentences to people that pages say in their reader's language: constants, and facts to fill them.

A sentence is a constant in English, ``%(name)s`` where a fact goes; `core.web.extracted` finds it
where it stands, and the catalogues hold it. A text built of values is none: nobody translates that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Mapping

Fact: TypeAlias = str | int | datetime


@dataclass(frozen=True, slots=True)
class Said:
    """The sentence *text* with its *facts*; as a str it is in English, its instants in UTC."""

    text: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __str__(self) -> str:
        """As a terminal, a log and a program are told it."""
        return self.text % {name: _written(one) for name, one in self.facts.items()}


def phrase(text: str) -> str:
    """*text* itself: a constant that a page translates later, and the catalogues hold."""
    return text


def _written(fact: Fact) -> str | int:
    return in_utc(fact) if isinstance(fact, datetime) else fact
