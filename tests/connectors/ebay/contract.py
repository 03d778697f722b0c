"""The OpenAPI files of eBay's APIs, read beside the repository: does a request fit them?

Those of Post-Order are none of eBay's: four files by the project hendt/ebay-api (MIT, each titled
"Custom ... OAS definition"), which know paths and methods alone, and neither queries nor bodies nor
tokens. What stands in for that is in `QUERIES`, `BODIES` and `SCHEMES`, each with its source. Where
a description alone lists the values of a parameter they are taken from its prose.
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

INSTANT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
ID = {"type": "string", "pattern": r"^[\w-]+$"}
SORT = {"type": "string", "pattern": r"^[+-][A-Z_]+$"}
OFFSET = {"type": "string", "pattern": r"^\d+$"}
ROLE = {"enum": ["BUYER", "SELLER"]}
"""Whose role it is eBay's pages tell otherwise (who began the dossier): it is the caller's own, as
was measured in production (public notes of a seller's tool, 2026-10-07)."""


def upto(most):
    """A number of entries: 1 to *most*."""
    return {"type": "integer", "minimum": 1, "maximum": most}


def search(window, most, ids, **more):
    """The parameters of a search: *window* begins the names of its two dates."""
    dates = {f"{window}creation_date_range_{end}": INSTANT for end in ("from", "to")}
    paged = {"limit": upto(most), "offset": OFFSET, "sort": SORT}
    return {**dates, **dict.fromkeys(ids, ID), **paged, **more}


QUERIES = {
    "/post-order/v2/inquiry/search": search(
        "inquiry_", 200, ("item_id", "order_id", "transaction_id"),
        fieldgroups={"enum": ["DEFAULT"]},
        inquiry_status={"enum": [
            "CLOSED", "CLOSED_WITH_ESCALATION", "CS_CLOSED", "OPEN", "OTHER", "PENDING",
            "WAITING_BUYER_RESPONSE", "WAITING_SELLER_RESPONSE",
        ]},
    ),
    "/post-order/v2/return/search": search(
        "", 200, ("item_id", "order_id", "return_id", "transaction_id", "states"),
        role=ROLE,
        return_state={"enum": [
            "ALL_OPEN", "ALL_OPEN_RETURN", "CLOSED", "EBAY_PLUS", "ITEM_DELIVERED", "ITEM_SHIPPED",
            "RETURN_STARTED", "SELLER_ACTION_DUE", "SELLER_ACTION_OVERDUE",
        ]},
    ),
    "/post-order/v2/cancellation/search": search(
        "", 500, ("cancel_id", "item_id", "legacy_order_id", "transaction_id"), role=ROLE
    ),
    "/post-order/v2/casemanagement/search": search(
        "case_", 200, ("item_id", "order_id", "return_id", "transaction_id"),
        fieldgroups={"enum": ["DEFAULT"]},
        case_status_filter={"enum": [
            "CLOSED", "CS_CLOSED", "ON_HOLD", "OPEN", "OTHER", "REFUND_AGREED_BUT_FAILED",
            "WAITING_CS", "WAITING_DELIVERY",
        ]},
    ),
    "/post-order/v2/return/{returnId}": {"fieldgroups": {"enum": ["FULL", "SUMMARY"]}},
    "/post-order/v2/cancellation/{cancelId}": {"fieldgroups": {"enum": ["FULL", "SUMMARY"]}},
}  # fmt: skip
"""The queries of Post-Order: names, most entries and listed values are those of eBay's own pages
(developer.ebay.com/Devzone/post-order, versions 2.7.8 and 2.8.0, as stored publicly, read
2026-11-22: ``post-order_v2_*_search__get.html``, InquiryStatusFilter, ReturnCountFilterEnum,
CaseStatusFilter, GetCancelFieldGroup); of inquiries and cases no page says how many entries there
are at most, so it is what returns have. How instants are written is from their examples."""

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
"""The bodies of Post-Order that we send: eBay's page of SendMessageRequest, and its type Text."""

SCHEMES = {"/post-order/": "IAF"}
"""eBay's page Making a Call; ``Bearer`` was seen to be refused there (trap 34)."""


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
    known = {*QUERIES.get(template, ())}
    found = [*_written(query, QUERIES.get(template, {}))]
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


def _written(query, schemas):
    """What of a query no file describes: each value, and both dates of a window in order.

    Without its end production refuses a window (error 10003), whatever the pages say.
    """
    for name, value in query.items():
        schema = schemas.get(name, {})
        is_number = schema.get("type") == "integer" and value.isascii() and value.isdigit()
        for one in _errors(schema, int(value) if is_number else value):
            yield f"{name}: {one.validator}"
    for begin in [name for name in schemas if name.endswith("_from")]:
        end = f"{begin.removesuffix('_from')}_to"
        if (begin in query) != (end in query):
            yield f"{begin} goes with {end}"
        elif begin in query and query[begin] >= query[end]:
            yield f"{begin} is not before {end}"


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
