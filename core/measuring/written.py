"""The small writer of what is stored, and what a room of it is made of.

225,000 lines take it a tenth of the time that prometheus_client takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import TYPE_CHECKING, TypeAlias

from core.instruments import ACCOUNT, AccountGauge, Family

if TYPE_CHECKING:
    from core.measuring.facts import Names, Promised, Snapshot

Sample: TypeAlias = tuple[str, float]
Families: TypeAlias = Iterator[tuple[Family, Iterable[Sample]]]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a room may show; *places* are the written labels of each account, by its name."""

    names: Names
    promised: Promised
    gauges: tuple[AccountGauge, ...]
    snapshot: Snapshot
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Room:
    """Families that one module shows, and their *samples*.

    Without *needs_database* they are shown while the database is away, too.
    """

    families: tuple[Family, ...]
    samples: Callable[[Seen], Families]
    needs_database: bool = True


def places(names: Names) -> dict[str, str]:
    """The written labels of each account, by its name."""
    return {account: written(ACCOUNT, (m, account)) for m, account in names.accounts}


def lines(family: Family, samples: Iterable[Sample], *, open_metrics: bool) -> Iterator[str]:
    """A family as it stands in the exposition."""
    name = family.name.removesuffix("_total") if open_metrics else family.name
    yield f"# HELP {name} {family.text}\n# TYPE {name} {family.kind}\n"
    shown = family.name
    for text, value in samples:
        yield f"{shown}{{{text}}} {_number(value)}\n" if text else f"{shown} {_number(value)}\n"


def written(names: Sequence[str], values: Sequence[str]) -> str:
    """Labels as they stand between the braces."""
    pairs = zip(names, values, strict=True)
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)


def _number(value: float) -> str:
    if isnan(value):
        return "NaN"
    return repr(float(value)) if abs(value) != inf else "+Inf" if value > 0 else "-Inf"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
