"""Reads of a payload what can be read. Pure.

A payload that fits its model costs one validation. Where something does not fit, the smallest part
that the model can do without is taken out (a field with a default, an item of a list), kept aside
with the reason, and the rest is read: one odd item does not cost its neighbours.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from core.model import SetAside

if TYPE_CHECKING:
    from collections.abc import Iterable

M = TypeVar("M", bound=BaseModel)
Path = tuple[int | str, ...]

MISSING = "missing"

MOST_FAULTS = 100_000
"""A payload with more of them is no page with odd items: reading on would hold everybody up."""

LONGEST_ID = 200
UNFIT = re.compile("[\x00\ud800-\udfff]")
"""What no row can hold: with U+FFFD in its place two ids may be the same."""


@dataclass(frozen=True, slots=True)
class Salvaged(Generic[M]):
    """What could be read, and what had to be taken out of it.

    *out* names the list of the envelope's own for each of its items that went as a whole.
    """

    value: M
    aside: tuple[SetAside, ...] = ()
    out: tuple[str, ...] = ()


def read(model: type[M], content: Any, names: tuple[str, ...] = ("id",)) -> Salvaged[M]:
    """*content* (decoded JSON, which this changes) as *model*, without the parts that do not fit.

    *names* are the fields that name an item: what is set aside is known by them.

    Raises:
        ValidationError: nothing is left that fits: the envelope itself is wrong, or `MOST_FAULTS`
            are not enough.
    """
    wreck = _Wreck(content, names)
    while True:
        try:
            value = model.model_validate(content)
            return Salvaged(value, tuple(wreck.aside), tuple(wreck.out))
        except ValidationError as fault:
            if fault.error_count() > MOST_FAULTS or not wreck.lighten(fault):
                raise


def set_aside(source_id: str, reason: str, content: Any, *, within: str = "") -> SetAside:
    """*content* (decoded JSON) as something set aside, by its digest where it has no id.

    *within* is the id of what it stood in: several without an id may stand there.
    """
    try:
        raw = json.dumps(content).encode()
    except RecursionError:
        raw = b"nested too deeply to be kept"
    if source_id:
        return SetAside(source_id, reason, raw)
    digest = sha256(raw).hexdigest()[:16]
    return SetAside(f"{within}/{digest}" if within else digest, reason, raw)


@dataclass(slots=True)
class _Wreck:
    content: Any
    names: tuple[str, ...]
    aside: list[SetAside] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def lighten(self, fault: ValidationError) -> bool:
        """Take out what *fault* complains of; False where that would be everything.

        What lacks a field goes as a whole: so does, a round later, what cannot do without the
        field that was taken out of it.
        """
        errors = fault.errors(include_url=False, include_context=False, include_input=False)
        parts: dict[Path, tuple[Path, str]] = {}
        for error in errors:
            path = error["loc"][:-1] if error["type"] == MISSING else error["loc"]
            parts.setdefault(path, (error["loc"], error["type"]))
        paths = sorted(_outermost(parts), reverse=True)
        if () in parts or not all(_leads(self.content, path) for path in paths):
            return False
        for path in paths:
            self._keep(path, *parts[path])
        for path in paths:
            del _at(self.content, path[:-1])[path[-1]]
        self.out += [name for path in paths if (name := _list_of(path))]
        return True

    def _keep(self, path: Path, place: Path, kind: str) -> None:
        """Keep the item of a list around *path* aside, once for all that it then lacks."""
        item, own, within = self.content, "", ""
        for length in range(1, len(path) + 1):
            if isinstance(path[length - 1], int):
                item = _at(self.content, path[:length])
                within = own or within
                own = _id(item, self.names)
        if kind == MISSING and id(item) in self._seen:
            return
        self._seen.add(id(item))
        named = ".".join(part for part in place if isinstance(part, str))
        self.aside.append(set_aside(own, f"{named}: {kind}", item, within=within))


def _outermost(paths: Iterable[Path]) -> list[Path]:
    known = set(paths)
    return [path for path in known if not any(path[:n] in known for n in range(1, len(path)))]


def _list_of(path: Path) -> str | None:
    """The list of the envelope's own of which *path* is an item."""
    match path:
        case (str(name), int()):
            return name
    return None


def _at(content: Any, path: Path) -> Any:
    for part in path:
        content = content[part]
    return content


def _leads(content: Any, path: Path) -> bool:
    try:
        _at(content, path)
    except (LookupError, TypeError):
        return False
    return True


def _id(item: Any, names: tuple[str, ...]) -> str:
    """What names *item*; two that begin alike, or that no row can hold, are two."""
    found = [item.get(name) for name in names] if isinstance(item, dict) else []
    told = next((str(one) for one in found if one and type(one) in {str, int}), "")
    if len(told) <= LONGEST_ID and not UNFIT.search(told):
        return told
    digest = sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{told[: LONGEST_ID - 17]}~{digest}"
