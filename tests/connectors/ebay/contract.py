"""eBay's own OpenAPI files, read beside the repository: does a request fit them?

Where the files are odd, this says so: those of Post-Order are written by others than eBay, name
neither queries nor bodies, and know no token; what stands in for that is in `QUERIES`, `BODIES`
and `SCHEMES`, from eBay's pages. Values that are only listed in the prose of a description are
taken from there.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from openapi_schema_validator import OAS30Validator

FOLDER = "specs/ebay"
FILES = Path(__file__).resolve().parents[4] / "shared" / FOLDER

SHORT = {"https://api.ebay.com": "api", "https://apiz.ebay.com": "apiz"}

DISPUTES = "/sell/fulfillment/v1/payment_dispute"
"""The file names two hosts, and eBay's pages the second one for these alone (trap 34)."""

NO_CONTRACT = {
    ("api", "/identity/v1/oauth2/token"),
    ("api", "/ws/api.dll"),
    ("apim", "/commerce/media/v1_beta/image/create_image_from_file"),
}
"""What no file describes: tokens, XML, and the Media API."""

WINDOW = {"creation_date_range_from", "creation_date_range_to"}
PAGE = {"limit", "offset", "sort"}
QUERIES = {
    "/post-order/v2/inquiry/search": PAGE | {f"inquiry_{name}" for name in WINDOW}
    | {"inquiry_status", "item_id", "order_id", "transaction_id"},
    "/post-order/v2/return/search": PAGE | WINDOW
    | {"return_state", "states", "item_id", "transaction_id", "role"},
    "/post-order/v2/cancellation/search": PAGE | WINDOW
    | {"legacy_order_id", "cancel_id", "item_id", "transaction_id", "role"},
    "/post-order/v2/casemanagement/search": PAGE | {f"case_{name}" for name in WINDOW}
    | {"case_status_filter", "order_id", "return_id", "item_id", "transaction_id", "fieldgroups"},
    "/post-order/v2/inquiry/{inquiryId}": {"fieldgroups"},
    "/post-order/v2/return/{returnId}": {"fieldgroups"},
    "/post-order/v2/cancellation/{cancelId}": {"fieldgroups"},
    "/post-order/v2/casemanagement/{caseId}": {"fieldgroups"},
}  # fmt: skip
"""The queries of Post-Order (developer.ebay.com/Devzone/post-order, read 2026-11-22)."""

_SAID = {
    "type": "object",
    "additionalProperties": False,
    "required": ["content"],
    "properties": {"content": {"type": "string", "minLength": 1}, "language": {"type": "string"}},
}
_MESSAGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message"],
    "properties": {"message": _SAID},
}
BODIES = {
    "/post-order/v2/inquiry/{inquiryId}/send_message": _MESSAGE,
    "/post-order/v2/return/{returnId}/send_message": _MESSAGE,
}
"""The bodies of Post-Order that we send (same pages)."""

SCHEMES = {"/post-order/": "IAF"}


@cache
def files():
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FILES.glob("*.json"))]


@cache
def operations():
    """Every operation: hosts, method, template, what it says, and its file."""
    found = []
    for file in files():
        bases = [
            server["url"].replace("{basePath}", server["variables"]["basePath"]["default"])
            for server in file["servers"]
        ]
        for template, methods in file["paths"].items():
            for method, operation in methods.items():
                where = [(SHORT[b[: b.index("/", 8)]], urlsplit(b).path + template) for b in bases]
                found.append((_hosts(where), method.upper(), where[0][1], operation, file))
    return found


def _hosts(where):
    hosts = {host for host, path in where}
    return hosts - {"api"} if where[0][1].startswith(DISPUTES) else hosts - (
        {"apiz"} if len(hosts) > 1 else set()
    )  # fmt: skip


def operation_of(heard):
    """The operation that a request is, its template and its file; None where there is none."""
    for hosts, method, template, operation, file in operations():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if heard.host in hosts and heard.method == method and re.fullmatch(pattern, heard.path):
            if "search" in heard.path and "{" in template.rpartition("/")[2]:
                continue
            return template, operation, file
    return None


def has_contract(heard):
    return (heard.host, heard.path) not in NO_CONTRACT


def faults(heard):
    """What of a request does not fit."""
    found = operation_of(heard)
    if found is None:
        return [f"no operation {heard.method} {heard.path} at {heard.host}"]
    template, operation, file = found
    return [
        *_scheme(heard),
        *_parameters(heard, template, operation),
        *_body(heard, template, operation, file),
    ]


def _scheme(heard):
    wanted = next((s for begin, s in SCHEMES.items() if heard.path.startswith(begin)), "Bearer")
    given = heard.headers.get("Authorization", "")
    told = [] if given.startswith(f"{wanted} ") else [f"no token as {wanted}"]
    if wanted == "IAF" and not heard.headers.get("X-EBAY-C-MARKETPLACE-ID", "").startswith("EBAY_"):
        told.append("X-EBAY-C-MARKETPLACE-ID is missing")
    return told


def _parameters(heard, template, operation):
    query = dict(heard.query)
    known = set(QUERIES.get(template, ()))
    found = []
    for parameter in operation.get("parameters", ()):
        where, name = parameter["in"], parameter["name"]
        if where == "query":
            known.add(name)
        given = {"query": query, "header": heard.headers}.get(where, {}).get(name)
        if given is None:
            if parameter["required"] and where in ("query", "header"):
                found.append(f"{name} is missing")
        else:
            found += _prose(parameter, given, name)
            found += [f"{name}: {one.validator}" for one in _errors(parameter["schema"], given)]
    return found + [f"{name} is unknown" for name in sorted(query.keys() - known)]


def _errors(schema, value):
    return OAS30Validator(schema).iter_errors(value)


def _prose(described, value, name):
    """What a description alone says of a value: which there are, or how large it may be."""
    text = re.sub(r"<span.*?</span>", "", described.get("description", ""), flags=re.DOTALL)
    listed = re.search(r"Valid values?:?</b>:?\s*<ul>(.*?)</ul>", text, re.DOTALL)
    values = re.findall(r"<code>(\w+)</code>", listed[1]) if listed else []
    found = [f"{name} is none of {values}"] if values and value not in values else []
    most = re.search(r"<b>(?:Maximum:|Max)</b>:?\s*(\d+)", text)
    if most and str(value).isdigit() and int(value) > int(most[1]):
        found.append(f"{name} is above {most[1]}")
    length = re.search(r"<b>Max length:</b>\s*(\d+)", text)
    if length and isinstance(value, str) and len(value) > int(length[1]):
        found.append(f"{name} is longer than {length[1]}")
    return found


def _body(heard, template, operation, file):
    schema = BODIES.get(template)
    if schema is None and "requestBody" in operation:
        schema = _resolved(operation["requestBody"]["content"]["application/json"]["schema"], file)
    if schema is None:
        return ["a body that nobody knows"] if heard.body else []
    if not heard.headers.get("Content-Type", "").startswith("application/json"):
        return ["Content-Type is not application/json"]
    said = json.loads(heard.body)
    odd = [f"{'.'.join(map(str, e.absolute_path))}: {e.validator}" for e in _errors(schema, said)]
    return odd + list(_told(schema, said, "body"))


def _told(schema, value, name):
    """What the descriptions of a body's fields say of their values."""
    yield from _prose(schema, value, name)
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _told(schema.get("properties", {}).get(key, {}), one, f"{name}.{key}")
    if isinstance(value, list):
        for one in value:
            yield from _told(schema.get("items", {}), one, name)


def _resolved(schema, file):
    """*schema* with its references followed; what it does not name is a fault."""
    if "$ref" in schema:
        target = file["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return _resolved({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, file)
    made = dict(schema)
    if "properties" in schema:
        made["properties"] = {k: _resolved(v, file) for k, v in schema["properties"].items()}
        made["additionalProperties"] = False
    if "items" in schema:
        made["items"] = _resolved(schema["items"], file)
    return made
