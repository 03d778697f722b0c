"""The API's document (OpenAPI 3.1), built from the routes that are declared. Pure.

pydantic writes JSON Schema 2020-12, which is OpenAPI 3.1's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from core.web.api import problems
from core.web.api.routes import BYTES, JSON, ROOT, Blob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from core.web.api.routes import Lead, Place, Route

Mode = Literal["validation", "serialization"]
Schemas = Mapping[Any, dict[str, Any]]
"""By model and `Mode`."""

TITLE = "replyby"
SAYS = (
    "Which buyers wait for a reply, until when, and what can be done about it: what the board "
    "shows, for programs. Send a token of your own (My page) as `Authorization: Bearer rb_...`. "
    "Whoever may not see an account gets the same answer as for one that is not there. 422: the "
    "request is not as this document says. 409: it is, and is refused as things stand; the code "
    "and the detail say why. Texts of buyers come as they were written: never show them as HTML."
)
ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
PLAIN = ("Cache-Control", "X-Content-Type-Options")
"""Headers of every answer."""
HEADERS: Mapping[str, tuple[str, str]] = {
    "Cache-Control": (
        "`private, no-cache`: keep it, ask for it anew with its ETag; `no-store`: keep it not",
        "^(private, no-cache|no-store)$",
    ),
    "X-Content-Type-Options": ("Of the type that is said, and no other", "^nosniff$"),
    "ETag": ("What it is, for If-None-Match", '^W/"[0-9a-f]{32}"$'),
    "Location": ("Where what was made is asked for", f"^{ROOT}/"),
    "Retry-After": ("Ask again after so many seconds", "^[0-9]+$"),
    "WWW-Authenticate": ("How to say who asks", "^Bearer$"),
    "Content-Disposition": ("Its name; to be kept, never to be shown", "^attachment; "),
    "Content-Security-Policy": ("Nothing of it runs", "^default-src 'none'; sandbox$"),
}
"""Headers that answers have: what each says, and its pattern."""
OF_STATUS: Mapping[HTTPStatus, tuple[str, ...]] = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}
EMPHASIS = re.compile(r"\*(\w+)\*")
REFERENCE = "#/components/schemas/{model}"


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The document of *routes*, of the program's *version*."""
    wanted = sorted({*_models(routes)}, key=lambda one: (one[0].__name__, one[1]))
    schemas, defined = models_json_schema(wanted, ref_template=REFERENCE)
    paths: dict[str, Any] = {}
    for route in routes:
        operation = _operation(route, schemas)
        paths.setdefault(ROOT + route.path, {})[route.method.lower()] = operation
    bearer = {"type": "http", "scheme": "bearer", "description": "a token from My page"}
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": SAYS},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {name: _said(of) for name, of in defined.get("$defs", {}).items()},
            "headers": {name: _header(*of) for name, of in HEADERS.items()},
            "securitySchemes": {"token": bearer},
        },
    }


def _said(schema: dict[str, Any]) -> dict[str, Any]:
    """*schema* with what its docstring says as Markdown, in one paragraph."""
    text = " ".join(str(schema.get("description", "")).split())
    return {**schema, "description": EMPHASIS.sub(r"`\1`", text)}


def _models(routes: Iterable[Route]) -> Iterator[tuple[type[BaseModel], Mode]]:
    yield problems.Problem, "serialization"
    for route in routes:
        for said in (route.where, route.asks, route.heads, route.takes):
            if said is not None:
                yield said, "validation"
        for given in (route.gives, route.conflict):
            if given is not None and issubclass(given, BaseModel):
                yield given, "serialization"


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.says,
        "description": f"For whoever may `{route.act.value}`.",
        "parameters": _parameters(route),
        "responses": _responses(route, schemas),
    }
    if route.takes is not None:
        content = {JSON: {"schema": schemas[route.takes, "validation"]}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _parameters(route: Route) -> list[dict[str, Any]]:
    return [
        *_of_model(route.where, "path"),
        *_of_model(route.asks, "query"),
        *_of_model(route.heads, "header"),
    ]


def _of_model(model: type[BaseModel] | None, place: Place) -> Iterator[dict[str, Any]]:
    """A parameter for each field: these are strings and numbers, so nothing refers elsewhere."""
    if model is None:
        return
    schema = model.model_json_schema(mode="validation")
    required = schema.get("required", [])
    for name, of in schema["properties"].items():
        yield {
            "name": name,
            "in": place,
            "required": name in required,
            "description": of.get("description", ""),
            "schema": _plain(of),
        }


def _plain(of: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: what is left out in an address is not there, and never null."""
    some = [one for one in of.get("anyOf", ()) if one != {"type": "null"}]
    whole = {**of, **some[0]} if some else of
    left_out = {"anyOf", "title", "description"} | ({"default"} if some else set())
    return {key: value for key, value in whole.items() if key not in left_out}


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {str(int(route.status)): _good(route, schemas)}
    if route.method == "GET":
        made["304"] = {"description": "As in If-None-Match", "headers": _headers("ETag", *PLAIN)}
    for status in refusals(route):
        model = route.conflict if status is HTTPStatus.CONFLICT else problems.Problem
        content = {problems.TYPE: {"schema": schemas[model, "serialization"]}}
        headers = _headers(*PLAIN, *OF_STATUS.get(status, ()))
        made[str(int(status))] = {
            "description": status.phrase, "headers": headers, "content": content,
        }  # fmt: skip
    return made


def refusals(route: Route) -> list[HTTPStatus]:
    """Every status with which *route* refuses."""
    found = {*ALWAYS, *route.refuses, HTTPStatus.UNPROCESSABLE_ENTITY}
    if route.where is not None:
        found.add(HTTPStatus.NOT_FOUND)
    if route.gives is not None:
        found.add(HTTPStatus.NOT_ACCEPTABLE)
    if route.takes is not None:
        found |= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    return sorted(found)


def _good(route: Route, schemas: Schemas) -> dict[str, Any]:
    names = [*PLAIN]
    if route.method == "GET":
        names.append("ETag")
    if route.at is not None:
        names.append("Location")
    made: dict[str, Any] = {"description": "It is done"}
    if route.gives is Blob:
        names += ("Content-Disposition", "Content-Security-Policy")
        made = {"description": "Its bytes", "content": {BYTES: {}}}
    elif route.gives is not None:
        content = {JSON: {"schema": schemas[route.gives, "serialization"]}}
        made = {"description": "What was asked for", "content": content}
    links = {f"{route.name}_{lead.to}": _link(lead) for lead in route.leads}
    return {**made, "headers": _headers(*names), **({"links": links} if links else {})}


def _link(lead: Lead) -> dict[str, Any]:
    return {"operationId": lead.to, "description": lead.why, "parameters": dict(lead.values)}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _header(says: str, pattern: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": pattern}
    return {"description": says, "required": True, "schema": schema}
