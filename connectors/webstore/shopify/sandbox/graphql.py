"""As much of GraphQL as a client of the Admin API may ask: read, and answered field by field.

Source: spec.graphql.org/October2021. No fragments by name, no directives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOKEN = re.compile(r'\.\.\.|[A-Za-z_]\w*|\$[A-Za-z_]\w*|-?\d+|"[^"]*"|[{}():!\[\]=]')


class Wrong(Exception):
    """A question that cannot be answered; *code* as Shopify calls it."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Hidden:
    """A field that this app may not see: null in its place, and an error that says *why*."""

    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A field with its arguments, or (*on*) what is asked of one type alone."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inner: tuple[Asked, ...] = ()
    on: str = ""


class Reader:
    """Reads one question."""

    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._tokens: list[str] = TOKEN.findall(text)
        self._at = 0
        self._variables = variables

    def read(self) -> tuple[str, tuple[Asked, ...]]:
        """``query`` or ``mutation``, and what is asked.

        Raises:
            Wrong: it is no question.
        """
        try:
            kind = self._tokens[0] if self._tokens[0] in {"query", "mutation"} else "query"
            while self._peek() != "{":
                self._next()
                if self._peek() == "(":
                    self._declared()
            return kind, self._selection()
        except IndexError:
            raise Wrong("Parse error on the end of the document", "parseError") from None

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _declared(self) -> None:
        """The variables with their types; one that must be told has to be."""
        self._next()
        name = ""
        while (sign := self._next()) != ")":
            if sign.startswith("$"):
                name = sign[1:]
            is_last = self._peek() == ")" or self._peek().startswith("$")
            if sign == "!" and is_last and self._variables.get(name) is None:
                raise Wrong(f"Variable ${name} was provided invalid value", "badRequest")

    def _selection(self) -> tuple[Asked, ...]:
        self._next()
        found = []
        while self._peek() != "}":
            found.append(self._field())
        self._next()
        return tuple(found)

    def _field(self) -> Asked:
        name = self._next()
        if name == "...":
            self._next()
            on = self._next()
            return Asked("...", inner=self._selection(), on=on)
        arguments = self._arguments() if self._peek() == "(" else {}
        inner = self._selection() if self._peek() == "{" else ()
        return Asked(name, arguments, inner)

    def _arguments(self) -> dict[str, Any]:
        self._next()
        found = {}
        while self._peek() != ")":
            name = self._next()
            self._next()
            found[name] = self._value()
        self._next()
        return found

    def _value(self) -> Any:
        token = self._next()
        if token.startswith("$"):
            return self._variables.get(token[1:])
        if token.startswith('"'):
            return token[1:-1]
        return int(token) if token.lstrip("-").isdigit() else token


@dataclass(slots=True)
class Answering:
    """Answers what is asked; *errors* are of fields that are hidden."""

    errors: list[dict[str, Any]] = field(default_factory=list)

    def of(self, value: Any, asked: Sequence[Asked], path: tuple[str | int, ...] = ()) -> Any:
        """What is asked of *value*: a dict of fields, some of which take arguments.

        Raises:
            Wrong: there is no such field.
        """
        if isinstance(value, list):
            return [self.of(one, asked, (*path, place)) for place, one in enumerate(value)]
        if value is None or not asked:
            return value
        found: dict[str, Any] = {}
        for one in asked:
            if one.on:
                found |= self.of(value, one.inner, path) if value["__typename"] == one.on else {}
            else:
                found[one.name] = self._field(value, one, (*path, one.name))
        return found

    def _field(self, value: dict[str, Any], one: Asked, path: tuple[str | int, ...]) -> Any:
        if one.name not in value:
            said = f"Field '{one.name}' doesn't exist on type '{value.get('__typename')}'"
            raise Wrong(said, "undefinedField")
        told = value[one.name]
        told = told(one.arguments) if callable(told) else told
        if isinstance(told, Hidden):
            self.errors.append(denied(told.why, path))
            return None
        return self.of(told, one.inner, path)


def denied(why: str, path: Sequence[str | int]) -> dict[str, Any]:
    """That something may not be seen."""
    return {
        "message": why,
        "locations": [{"line": 1, "column": 1}],
        "path": list(path),
        "extensions": {
            "code": "ACCESS_DENIED",
            "documentation": "https://shopify.dev/api/usage/access-scopes",
        },
    }
