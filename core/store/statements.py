"""Which table module a statement is of: what its time is counted under."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path

OTHER = "other"
BOUNDS = "transaction"
"""What begins and ends one: a commit waits for the disk."""
VERB = re.compile(r"\s*(select|insert|update|delete|with|lock|merge)\b", re.IGNORECASE)
_BOUND = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@cache
def known() -> dict[str, str]:
    """The table module of each statement that stands as a constant in this package, by its text."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        for name, value in vars(importlib.import_module(f"core.store.{module.name}")).items():
            if name.isupper() and isinstance(value, str) and VERB.match(value):
                found.setdefault(value, module.name)
    return found


@cache
def names() -> tuple[str, ...]:
    """Every name under which time is counted."""
    return (*dict.fromkeys(known().values()), BOUNDS, OTHER)


def name(query: str) -> str:
    """The name under which the time of *query* is counted."""
    found = known().get(query)
    if found is not None:
        return found
    return BOUNDS if query.startswith(_BOUND) else OTHER
