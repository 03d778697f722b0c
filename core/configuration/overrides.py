"""Values of the settings that the environment overrides: ``REPLYBY_SECTION__KEY``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from core.configuration.written import FromEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

PREFIX = "REPLYBY_"
BETWEEN = "__"

Table = dict[str, Any]


class Overrides(PydanticBaseSettingsSource):
    """``REPLYBY_ACCOUNTS__MIRAKL_FR__TITLE``: letters' case does not count, a dash is written _."""

    def __init__(
        self, settings: type[BaseSettings], environ: Mapping[str, str], file: Table
    ) -> None:
        super().__init__(settings)
        self._environ = environ
        self._file = file

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not asked for one by one: `__call__` gives all."""
        raise NotImplementedError

    def __call__(self) -> Table:
        """What the environment overrides, as tables."""
        found: Table = {}
        for name, text in sorted(self._environ.items()):
            if path := overridden(name):
                _put(found, self._named(path), _value(text))
        return found

    def _named(self, path: list[str]) -> list[str]:
        """*path* in the file's own spelling, where the file has it."""
        names: list[str] = []
        here: object = self._file
        for part in path:
            known = here if isinstance(here, dict) else {}
            name = next((key for key in known if _spelling(key) == _spelling(part)), part.lower())
            names.append(name)
            here = known.get(name)
        return names


def overridden(name: str) -> list[str]:
    """The key path that the variable *name* overrides; empty where it overrides none."""
    path = name.removeprefix(PREFIX).split(BETWEEN)
    return path if name.startswith(PREFIX) and len(path) > 1 and all(path) else []


def _spelling(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _put(table: Table, path: list[str], value: object) -> None:
    for part in path[:-1]:
        table = table.setdefault(part, {})
    table[path[-1]] = value


def _value(text: str) -> object:
    """A list or a table is written as JSON; anything else is text."""
    if text[:1] not in {"[", "{"}:
        return FromEnvironment(text)
    try:
        return json.loads(text)
    except ValueError:
        return FromEnvironment(text)
