"""Complaints about settings: key path, fault, how to mend it; never a value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from core.configuration import written
from core.configuration.written import FromEnvironment, models
from core.errors import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

ModelT = TypeVar("ModelT", bound=BaseModel)
Path = tuple[str, ...]

SHORTEST_ECHO = 3
MOST_SHOWN, FEW = 20, 5

_PLAIN = {
    "missing": "is missing; add it",
    "string_type": "is no text; put it in quotes",
    "bool_type": "is no yes or no; write true or false",
    "bool_parsing": "is no yes or no; write true or false",
    "int_type": "is no whole number; write it without quotes",
    "int_parsing": "is no whole number; write digits only",
    "int_from_float": "is no whole number; leave the fraction out",
    "float_type": "is no number; write it without quotes",
    "float_parsing": "is no number; write digits only",
    "tuple_type": 'is no list; write it in brackets, such as ["one", "two"]',
    "list_type": 'is no list; write it in brackets, such as ["one", "two"]',
    "frozen_set_type": 'is no list; write it in brackets, such as ["one", "two"]',
    "dict_type": "is no table; write it as [section.name] with keys below it",
    "model_type": "is no table; write it as [section.name] with keys below it",
    "model_attributes_type": "is no table; write it as [section.name] with keys below it",
    "date_from_datetime_parsing": "is no date; write it as 2026-12-31",
    "date_parsing": "is no date; write it as 2026-12-31",
    "date_type": "is no date; write it as 2026-12-31",
    "timezone_aware": "has no zone; end it with Z or an offset such as +01:00",
    "datetime_parsing": "is no instant; write it as 2026-12-31T00:00:00Z",
    "datetime_from_date_parsing": "is no instant; write it as 2026-12-31T00:00:00Z",
    "string_pattern_mismatch": "has characters that are not allowed here",
    "too_short": "is empty; name at least one",
    "string_too_short": "is empty; write something",
    "path_type": "is no path; put it in quotes",
    "finite_number": "is no number; write digits only",
}
_BOUNDS = {
    "greater_than_equal": "is too small; write {ge} or more",
    "greater_than": "is too small; write more than {gt}",
    "less_than_equal": "is too large; write {le} or less",
    "less_than": "is too large; write less than {lt}",
    "string_too_long": "is too long; write {max_length} characters at most",
    "too_long": "holds too many; name {max_length} at most",
}
_SHORT = {
    "string_too_short": "is too short; write {min_length} characters at least",
    "too_short": "holds too few; name {min_length} at least",
}
_LISTS = frozenset({"tuple_type", "list_type", "frozen_set_type", "dict_type"})
_NO_JSON = """is no JSON; put each text in double quotes, such as '["one", "two"]'"""


def dotted(path: Iterable[str | int]) -> str:
    """A key path as the settings file would write it."""
    return ".".join(str(part) for part in path)


def nearest(given: str, known: Iterable[str]) -> str:
    """How to mend an unknown name: the closest known one, else all of them, or a few of many."""
    names = sorted(known)
    close = get_close_matches(given, names, 1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    if len(names) > MOST_SHOWN:
        return f"the nearest: {', '.join(get_close_matches(given, names, FEW, cutoff=0.0))}"
    return f"known: {', '.join(names)}" if names else "none is defined"


@dataclass(slots=True)
class Complaints:
    """All faults found so far: the settings are read to the end before any is told."""

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _paths: set[str] = field(default_factory=set)
    _left_out: set[Path] = field(default_factory=set)

    def add(self, path: Iterable[str | int], fault: str) -> None:
        """Complain about the key at *path*; *fault* says what is wrong and how to mend it."""
        place = dotted(path)
        self._paths.add(place)
        line = f"{place}: {fault}"
        if line not in self.lines:
            self.lines.append(line)

    def leave_out(self, path: Path) -> None:
        """Take the key at *path* for written, though it is left out: why was complained of."""
        self._left_out.add(path)

    def warn(self, path: Iterable[str | int], doubt: str) -> None:
        """Warn of what is allowed at *path* and yet not wise."""
        self.warnings.append(f"{dotted(path)}: {doubt}")

    def any_at(self, path: Path, keys: Iterable[str]) -> bool:
        """Whether one of *keys* of the table at *path* was complained of, or what is in it."""
        here = f"{dotted(path)}."
        below = (each.removeprefix(here) for each in self._paths if each.startswith(here))
        return any(each.partition(".")[0] in keys for each in below)

    def unknown(self, path: Path, what: str, given: str, known: Iterable[str]) -> None:
        """Complain that *path* names a *what* that does not exist."""
        self.add(path, f"there is no {what} of that name; {nearest(given, known)}")

    def read(self, model: type[ModelT], table: Mapping[str, Any], path: Path) -> ModelT | None:
        """*table* as *model*; None where it has faults, each complained of."""
        errors = self._told(model, table, path)
        if errors and all(error["type"] == "extra_forbidden" for error in errors):
            self._told(model, _without_faults(table, errors), path)
        return None if errors else model.model_validate(table)

    def read_on(
        self,
        model: type[ModelT],
        table: Mapping[str, Any],
        path: Path,
        stand_ins: Mapping[str, Any] = MappingProxyType({}),
    ) -> tuple[ModelT, bool]:
        """*table* as *model*, and whether it has no fault, so that what it names is checked too.

        Faults are complained of and left out; *stand_ins* take the place of required keys.
        """
        errors = self._told(model, table, path)
        sound = {**stand_ins, **_without_faults(table, errors)} if errors else table
        return _left(model, sound), not errors

    def _told(
        self, model: type[BaseModel], table: Mapping[str, Any], path: Path
    ) -> list[ErrorDetails]:
        """The faults of *table*, each complained of."""
        errors = written.faults(model, table)
        try:
            model.model_validate(table)
        except ValidationError as found:
            known = {error["loc"] for error in errors}
            more = found.errors(include_url=False)
            errors += [error for error in more if error["loc"] not in known]
        named = {error["loc"][:-1] for error in errors if error["loc"][-1:] == ("[key]",)}
        for error in errors:
            # What stands under a key that is none is no matter.
            if error["loc"] not in named and not _is_short_of_faults(error, errors):
                self._from(error, model, path)
        return errors

    def _is_of_what_was_left_out(self, error: ErrorDetails, table: tuple[int | str, ...]) -> bool:
        """Whether the *error* of a whole *table* is that it lacks what was left out of it."""
        if error["type"] != "value_error" or not isinstance(error["input"], dict):
            return False
        said = set(re.findall(r"\w+", _fault(error)))
        return any(key[:-1] == table and key[-1] in said for key in self._left_out)

    def _from(self, error: ErrorDetails, model: type[BaseModel], path: Path) -> None:
        where = _spoken(error["loc"])
        left_out = error["type"] == "missing" and dotted((*path, *where)) in self._paths
        if left_out or self._is_of_what_was_left_out(error, (*path, *where)):
            return
        if error["type"] == "extra_forbidden":
            known = _keys(model, where[:-1])
            self.add((*path, *where), f"unknown key; {nearest(str(where[-1]), known)}")
        else:
            self.add((*path, *where), _fault(error))


def _left(model: type[ModelT], table: Mapping[str, Any]) -> ModelT:
    """*table* without its faults; an inner one that lacks something by now goes too."""
    try:
        return model.model_validate(table)
    except ValidationError as found:
        return model.model_validate(_without_faults(table, found.errors()))


def _is_short_of_faults(error: ErrorDetails, errors: Iterable[ErrorDetails]) -> bool:
    """Whether the *error* is that a list lacks what it holds, each item of which has a fault."""
    place = error["loc"]
    inside = (each["loc"] for each in errors if len(each["loc"]) > len(place))
    return error["type"] == "too_short" and any(loc[: len(place)] == place for loc in inside)


def _without_faults(table: Mapping[str, Any], errors: Iterable[ErrorDetails]) -> Mapping[str, Any]:
    for error in errors:
        table = _without_place(table, error["loc"])
    return table


def _without_place(table: Mapping[str, Any], place: tuple[int | str, ...]) -> Mapping[str, Any]:
    """*table* without the key at *place*, as deep as tables go: a fault in a list takes it all."""
    if not place:
        return table
    key, *rest = place
    inner = table.get(str(key))
    if isinstance(inner, dict) and rest and rest[0] in inner:
        return {**table, str(key): _without_place(inner, tuple(rest))}
    return {name: value for name, value in table.items() if name != key}


def _spoken(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """*loc* without pydantic's own words: the key of a table, a step of a union."""
    return tuple(p for p in loc if p != "[key]" and not str(p).startswith("function-"))


def _keys(model: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """The keys of the table at *path* below *model*; none where it is no table of ours."""
    here: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int) or here is None:
            continue
        found = here.model_fields.get(part)
        here = next(iter(models(found.annotation)), None) if found else None
    return [f.alias or name for name, f in here.model_fields.items()] if here else []


def _fault(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in {"literal_error", "enum"}:
        return f"is none of the allowed words; write {context['expected']}"
    if kind in {"value_error", "assertion_error"}:
        return _said(context.get("error"), error["input"]) or "cannot be used"
    if kind in _LISTS and isinstance(error["input"], FromEnvironment):
        return _NO_JSON if error["input"].startswith(("[", "{")) else _PLAIN[kind]
    if plain := _bound(error) or _PLAIN.get(kind):
        return plain
    return _without(error["msg"][:1].lower() + error["msg"][1:], error["input"])


def _bound(error: ErrorDetails) -> str | None:
    """Which bound is passed; None: none, or it is that nothing is empty."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _SHORT and context.get("actual_length"):
        is_text = isinstance(error["input"], str | SecretStr)
        return _SHORT["string_too_short" if is_text else kind].format(**context)
    return _BOUNDS[kind].format(**context) if kind in _BOUNDS else None


def _said(fault: object, value: object) -> str:
    """What a check says: in fixed words, or with the value, which is taken out."""
    return str(fault) if isinstance(fault, Unfit) else _without(str(fault or ""), value)


def _without(text: str, value: object) -> str:
    """*text* without what was written in the settings: a foreign check may quote it."""
    for echo in _leaves(value):
        if len(echo) >= SHORTEST_ECHO:
            text = re.sub(rf"(?<!\w){re.escape(echo)}(?!\w)", "...", text)
    return text


def _leaves(value: object) -> Iterable[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
