"""What TOML has a type for is written as that type; only the environment has nothing but text."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

    Place = tuple[int | str, ...]

PLAIN: dict[object, str] = {bool: "bool_type", int: "int_type", float: "float_type"}


class FromEnvironment(str):
    """A value as a variable of the environment says it."""

    __slots__ = ()


def faults(model: type[BaseModel], table: Mapping[str, Any]) -> list[ErrorDetails]:
    """Numbers in quotes, ``true`` for 1 and the like: pydantic itself would let them pass."""
    return list(_faults(model, table, ()))


def models(annotation: Any) -> Iterable[type[BaseModel]]:
    """The models that an annotation names, however deep: ``dict[str, tuple[M, ...]] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models(inner)


def _faults(
    model: type[BaseModel], table: Mapping[str, Any], place: Place
) -> Iterator[ErrorDetails]:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key in fields.keys() & table.keys():
        annotation, value, here = fields[key].annotation, table[key], (*place, key)
        kinds = _plain(annotation)
        if kinds and _is_other(value, kinds):
            kind = next(name for plain, name in PLAIN.items() if plain in kinds)
            yield {"type": kind, "loc": here, "msg": "", "input": value}
        for inner in models(annotation):
            yield from _below(inner, value, here)


def _below(model: type[BaseModel], value: object, place: Place) -> Iterator[ErrorDetails]:
    if isinstance(value, dict):
        yield from _faults(model, value, place)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            if isinstance(each, dict):
                yield from _faults(model, each, (*place, number))


def _plain(annotation: Any) -> frozenset[object]:
    """Which of TOML's plain types *annotation* asks for; none where it takes anything else too."""
    if get_origin(annotation) in {Union, UnionType, Annotated}:
        parts = [part for part in get_args(annotation) if part is not type(None)]
    else:
        parts = [annotation]
    return frozenset(parts) if all(part in PLAIN for part in parts) else frozenset()


def _is_other(value: object, kinds: frozenset[object]) -> bool:
    """Whether *value* is of another plain type, or text; a whole number is a number too."""
    if isinstance(value, FromEnvironment):
        return False
    if isinstance(value, bool):
        return bool not in kinds
    if isinstance(value, int | float):
        return kinds == {bool}
    return isinstance(value, str)
