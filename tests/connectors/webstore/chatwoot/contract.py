"""Chatwoot's own OpenAPI file (MIT), read beside the repository: do requests and answers fit it?"""

from __future__ import annotations

import json
import re
from email import message_from_bytes
from functools import cache
from pathlib import Path

from openapi_schema_validator import OAS30Validator

from tests.connectors.webstore.chatwoot import plain_yaml

NAME = "specs/chatwoot/chatwoot-application-api-openapi.yml"
FILE = Path(__file__).resolve().parents[5] / "shared" / NAME

NO_JSON = {"multipart/form-data"}


@cache
def document():
    return plain_yaml.read(FILE.read_text(encoding="utf-8"))


def operation_of(heard):
    """The template, and what is said of the operation; None where there is none."""
    for template, methods in document()["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        operation = methods.get(heard.method.lower())
        if operation is not None and re.fullmatch(pattern, heard.path):
            common = methods.get("parameters", [])
            return {**operation, "parameters": common + operation.get("parameters", [])}
    return None


def faults(heard):
    """What of a request does not fit."""
    operation = operation_of(heard)
    if operation is None:
        return [f"no operation {heard.method} {heard.path}"]
    return [*_token(heard, operation), *_query(heard, operation), *_body(heard, operation)]


def odd(heard, answer):
    """What of an *answer* to a request does not fit."""
    content = operation_of(heard)["responses"]["200"]["content"]
    return _errors(content["application/json"]["schema"], answer)


def _token(heard, operation):
    schemes = document()["components"]["securitySchemes"]
    names = [schemes[name]["name"] for each in operation["security"] for name in each]
    return [] if any(name in heard.headers for name in names) else [f"none of {names}"]


def _query(heard, operation):
    parameters = [_resolved(each) for each in operation["parameters"]]
    known = {each["name"]: each for each in parameters if each["in"] == "query"}
    for name, text in heard.query:
        if name not in known:
            yield f"{name} is unknown"
            continue
        schema = known[name]["schema"]
        is_number = schema["type"] == "integer"
        value = int(text) if is_number and text.isdigit() else text
        yield from (f"{name}: {each}" for each in _errors(schema, value))


def _body(heard, operation):
    if "requestBody" not in operation:
        return ["a body that nobody knows"] if heard.body else []
    told = heard.headers.get("Content-Type", "").partition(";")[0]
    content = operation["requestBody"]["content"]
    if told not in content:
        return [f"{told} is no type of this body"]
    schema = _resolved(content[told]["schema"])
    said = _form(heard) if told in NO_JSON else json.loads(heard.body)
    strange = sorted(said.keys() - schema["properties"].keys())
    return [*_errors(schema, said), *(f"{name} is unknown" for name in strange)]


def _form(heard):
    """The fields of a form as its schema types them."""
    head = f"Content-Type: {heard.headers['Content-Type']}\r\n\r\n".encode()
    found = {}
    for part in message_from_bytes(head + heard.body).get_payload():
        name = part.get_param("name", header="Content-Disposition")
        text = part.get_payload(decode=True).decode("latin-1")
        if name.endswith("[]"):
            found.setdefault(name, []).append(text)
        else:
            found[name] = {"true": True, "false": False}.get(text, text)
    return found


def _resolved(schema):
    if "$ref" not in schema:
        return schema
    found = document()
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def _errors(schema, value):
    whole = {**_inlined(schema), "components": {}}
    found = OAS30Validator(whole).iter_errors(value)
    return [f"{'.'.join(map(str, each.absolute_path))}: {each.validator}" for each in found]


def _inlined(schema):
    """*schema* with its references followed; one way of saying null is put in another's place."""
    if isinstance(schema, list):
        return [_inlined(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = _resolved(schema)
    options = schema.get("oneOf", [])
    if {"type": "null"} in options:
        (one,) = [each for each in options if each != {"type": "null"}]
        return {**_inlined(one), "nullable": True}
    return {name: _inlined(each) for name, each in schema.items() if name != "example"}
