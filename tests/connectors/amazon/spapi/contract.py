"""Amazon's own model of the Messaging API, read beside the repository: does a request fit it?"""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

FILE = "specs/amazon/messaging.json"
MODEL = Path(__file__).resolve().parents[5] / "shared" / FILE


def load():
    return json.loads(MODEL.read_text(encoding="utf-8"))


def operation_of(model, method, path):
    """The operation of *model* that a request is, and the values in its path."""
    for template, operations in model["paths"].items():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        found = re.fullmatch(pattern, path)
        if found and method.lower() in operations:
            return operations[method.lower()], found.groupdict()
    return None, {}


def faults(model, method, url, body):
    """What of a request does not fit; *body* as sent."""
    split = urlsplit(url)
    operation, values = operation_of(model, method, split.path)
    if operation is None:
        return [f"no operation {method} {split.path}"]
    told = {"path": values, "query": parse_qs(split.query)}
    found = []
    known = {"path": set(), "query": set()}
    for parameter in operation["parameters"]:
        where, name = parameter["in"], parameter["name"]
        if where == "body":
            found += schema_faults(model, parameter["schema"], json.loads(body), "body")
            continue
        known[where].add(name)
        given = told[where].get(name)
        if parameter["required"] and not given:
            found.append(f"{name} is missing")
        elif (
            parameter["type"] == "array" and len(",".join(given).split(",")) > parameter["maxItems"]
        ):
            found.append(f"{name} names too many")
    strange = [name for where in known for name in told[where].keys() - known[where]]
    return found + [f"{name} is unknown" for name in strange]


def schema_faults(model, schema, value, where):
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return schema_faults(model, model["definitions"][name], value, where)
    return KINDS[schema["type"]](model, schema, value, where)


def object_faults(model, schema, value, where):
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    known = schema.get("properties", {})
    found = [f"{where}.{name} is unknown" for name in value.keys() - known.keys()]
    found += [
        f"{where}.{name} is missing" for name in set(schema.get("required", ())) - value.keys()
    ]
    for name in value.keys() & known.keys():
        found += schema_faults(model, known[name], value[name], f"{where}.{name}")
    return found


def array_faults(model, schema, value, where):
    """The model says maxLength and minLength of lists, where it means their items."""
    if not isinstance(value, list):
        return [f"{where} is no list"]
    least, most = schema.get("minLength", 0), schema.get("maxLength", len(value))
    found = [] if least <= len(value) <= most else [f"{where} has {len(value)} items"]
    for number, one in enumerate(value):
        found += schema_faults(model, schema["items"], one, f"{where}[{number}]")
    return found


def string_faults(model, schema, value, where):
    if not isinstance(value, str):
        return [f"{where} is no text"]
    least, most = schema.get("minLength", 0), schema.get("maxLength", len(value))
    found = [] if least <= len(value) <= most else [f"{where} has {len(value)} characters"]
    if schema.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        found.append(f"{where} has no zone")
    return found


KINDS = {"object": object_faults, "array": array_faults, "string": string_faults}
