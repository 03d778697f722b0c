"""The API's document in the order in which a person reads it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.web.api.document import PLAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter or a field: its *name*, what it holds, whether it has to be there."""

    name: str
    kind: str
    required: bool
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What may come back: a status, what it means, and of which schema it is (empty: nothing).

    *headers* are those that only some answers have.
    """

    status: str
    text: str
    schema: str
    headers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What can be asked next, by *name*, and why."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked; *body* is the schema of what is sent, empty where nothing is.

    *steps* can be asked next, with what it answers.
    """

    name: str
    method: str
    path: str
    summary: str
    text: str
    values: tuple[Value, ...]
    body: str
    answers: tuple[Answer, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """An object of the API."""

    name: str
    text: str
    values: tuple[Value, ...]


def operations(document: Document) -> list[Operation]:
    """Everything that can be asked, in the order of the document."""
    return [
        Operation(
            of["operationId"],
            method.upper(),
            path,
            of["summary"],
            of["description"],
            tuple(_parameter(one) for one in of["parameters"]),
            _content(of.get("requestBody", {})),
            tuple(_answer(status, one) for status, one in of["responses"].items()),
            tuple(
                Step(link["operationId"], link["description"])
                for one in of["responses"].values()
                for link in one.get("links", {}).values()
            ),
        )
        for path, methods in document["paths"].items()
        for method, of in methods.items()
    ]


def _answer(status: str, one: Mapping[str, Any]) -> Answer:
    headers = tuple(name for name in one.get("headers", ()) if name not in PLAIN)
    return Answer(status, one["description"], _content(one), headers)


def schemas(document: Document) -> list[Schema]:
    """Every object, by name."""
    return [
        Schema(name, of.get("description", ""), tuple(_values(of)))
        for name, of in sorted(document["components"]["schemas"].items())
        if of.get("type") == "object"
    ]


def _values(of: Mapping[str, Any]) -> list[Value]:
    required = of.get("required", ())
    return [
        Value(name, kind(one), name in required, one.get("description", ""))
        for name, one in of.get("properties", {}).items()
    ]


def _parameter(one: Mapping[str, Any]) -> Value:
    said = kind(one["schema"])
    return Value(one["name"], said, one["required"], one["description"], one["in"])


def _content(one: Mapping[str, Any]) -> str:
    """The schema of what is sent; its media type where no schema says more."""
    content = one.get("content", {})
    return next((kind(of["schema"]) if of else media for media, of in content.items()), "")


def kind(schema: Mapping[str, Any]) -> str:
    """What a schema holds, in a few words: ``string``, ``Line[]``, ``"mine" | "free"``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "items" in schema:
        return f"{kind(schema['items'])}[]"
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    if values[0]:
        return f"object of {kind(values[0])}"
    if several := schema.get("anyOf"):
        return " | ".join(kind(one) for one in several)
    words = schema.get("enum") or [schema[name] for name in ("const",) if name in schema]
    return " | ".join(map(json.dumps, words)) or str(
        schema.get("format", schema.get("type", "any"))
    )
