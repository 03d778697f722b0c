"""eBay's own contracts, read beside the repository: does an answer of the stand-in fit them?"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from openapi_schema_validator import OAS30Validator

FILES = (
    "specs/ebay/commerce_message_v1_oas3.json",
    "specs/ebay/commerce_notification_v1_oas3.json",
    "specs/ebay/commerce_identity_v1_oas3.json",
    "specs/ebay/developer_analytics_v1_beta_oas3.json",
)
SHARED = Path(__file__).resolve().parents[5] / "shared"

NULL = ("next", "prev")
"""Seen as null at the end of a walk, where the contract says that they are left out."""


@cache
def operations():
    """By operation: what is answered by status, as one whole schema; {} where nothing is."""
    found = {}
    for name in FILES:
        contract = json.loads((SHARED / name).read_text(encoding="utf-8"))
        schemas = contract["components"]["schemas"]
        for path in contract["paths"].values():
            for operation in path.values():
                answers = {
                    int(status): _whole(_schema(answer), schemas)
                    for status, answer in operation["responses"].items()
                }
                found[operation["operationId"]] = (answers, _whole(schemas["Error"], schemas))
    return found


def is_known(operation):
    return (SHARED / FILES[0]).exists() and operation in operations()


def faults(operation, status, body):
    """What of an answer does not fit; fields that the contract does not know do not."""
    answers, error = operations()[operation]
    if status >= 400:
        wrapped = {"type": "object", "properties": {"errors": {"type": "array", "items": error}}}
        return _faults({**wrapped, "additionalProperties": False, "required": ["errors"]}, body)
    if status not in answers:
        return [f"{operation} never answers {status}"]
    if not answers[status]:
        return [] if body is None else [f"{operation} answers {status} without a body"]
    return _faults(answers[status], body)


def _faults(schema, body):
    if not isinstance(body, dict):
        return ["no object"]
    told = {k: v for k, v in body.items() if not (k in NULL and v is None)}
    found = OAS30Validator(schema).iter_errors(told)
    return [f"{'.'.join(map(str, one.path))}: {one.message}" for one in found]


def _schema(answer):
    content = answer.get("content") or {}
    return content.get("application/json", {}).get("schema", {})


def _whole(schema, schemas):
    """*schema* without references, closed to fields that it does not name."""
    if "$ref" in schema:
        return _whole(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("type") == "array":
        return {"type": "array", "items": _whole(schema["items"], schemas)}
    if "properties" not in schema:
        return {key: value for key, value in schema.items() if key in ("type", "enum")}
    parts = {name: _whole(part, schemas) for name, part in schema["properties"].items()}
    return {"type": "object", "properties": parts, "additionalProperties": False}
