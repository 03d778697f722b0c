"""The webservice: who asks, what may be asked, lists and their filters, a row that is added."""

from __future__ import annotations

import re
from base64 import b64decode
from html import escape
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from aiohttp import web
from defusedxml import ElementTree as Safe

from connectors.webstore.prestashop.sandbox import forms
from connectors.webstore.prestashop.sandbox.forms import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from connectors.webstore.prestashop.sandbox.shop import Rights, Shop

    Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

SHOPS: web.AppKey[dict[str, Shop]] = web.AppKey("shops")
DATES = frozenset({"date_add", "date_upd"})
FILTER = re.compile(r"filter\[(\w+)\]")
UNCLEAN = re.compile(r"<\s*script|<\s*i?frame|<[^>]*\son[a-z]+\s*=|script\s*:", re.IGNORECASE)


async def forms_of(request: web.Request, answer: Next) -> web.StreamResponse:
    """The answer, or a refusal in the form that was asked for."""
    try:
        return await answer(request)
    except Refusal as refusal:
        return forms.refused(refusal, as_json=_as_json(request))


async def index(request: web.Request) -> web.Response:
    """What the key may do."""
    return forms.index(_rights(request))


async def listed(request: web.Request) -> web.Response:
    """Rows of a resource, filtered, sorted, cut."""
    shop, resource = _shop(request), _resource(request, "GET")
    rows = [row for row in _rows(shop, resource) if _fits(request, row)]
    rows = _cut(request, _sorted(request, rows, shop))
    shown = [_displayed(request, row) for row in rows]
    return forms.listed(resource, shown, shop.habits, as_json=_as_json(request))


async def added(request: web.Request) -> web.Response:
    """A customer message comes in XML, and in nothing else."""
    shop, resource = _shop(request), _resource(request, "POST")
    told = _told(await request.read())
    thread, text = told.get("id_customer_thread", ""), told.get("message", "")
    if not thread.isdigit() or int(thread) not in shop.threads:
        raise Refusal(400, 85, "Property CustomerMessage->id_customer_thread is not valid")
    if not text or UNCLEAN.search(text):
        raise Refusal(400, 85, "Validation error: Property CustomerMessage->message is not valid")
    employee = int(told.get("id_employee") or 0)
    kept = escape(text) if shop.habits.escapes else text
    row = shop.write(int(thread), kept, employee, private=told.get("private") == "1")
    as_json = _as_json(request) and not shop.habits.answers_in_xml
    return forms.single(resource, row.told(shop.zone), shop.habits, as_json=as_json, status=201)


def _shop(request: web.Request) -> Shop:
    shop = request.app[SHOPS].get(request.match_info["shop"])
    if shop is None:
        raise web.HTTPNotFound
    return shop


def _rights(request: web.Request) -> Rights:
    """What the caller may do; the key is the user of Basic, or stands in the address."""
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    key = request.query.get("ws_key", "")
    if scheme.lower() == "basic":
        user, _, password = b64decode(told).decode().partition(":")
        if password and not user:
            raise Refusal(401, 17, "Authentication key is empty")
        key = user
    if not key:
        raise Refusal(401, 17, "Authentication key is empty")
    if len(key) != 32:
        raise Refusal(401, 18, "Invalid authentication key format")
    known = _shop(request).keys.get(key)
    if known is None:
        raise Refusal(401, 20, "Authentication key does not exist")
    return known


def _resource(request: web.Request, method: str) -> str:
    rights, resource = _rights(request), request.path.rpartition("/")[2]
    if resource not in forms.ONE:
        raise Refusal(400, 27, f'Resource of type "{resource}" does not exists')
    if not rights.get(resource):
        said = f'Resource of type "{resource}" is not allowed with this authentication key'
        raise Refusal(401, 26, said)
    if method not in rights[resource] or (method == "POST" and resource != "customer_messages"):
        said = f"Method {method} is not allowed for the resource {resource}"
        raise Refusal(405, 25, f"{said} with this authentication key")
    return resource


def _rows(shop: Shop, resource: str) -> list[dict[str, Any]]:
    if resource == "customer_messages":
        return [one.told(shop.zone) for one in shop.messages.values()]
    if resource == "customer_threads":
        return [one.told(shop.zone) for one in shop.threads.values()]
    if resource == "orders":
        return [{"id": one.id, "reference": one.reference} for one in shop.orders.values()]
    return shop.settings


def _fits(request: web.Request, row: dict[str, Any]) -> bool:
    for name, wanted in request.query.items():
        named = FILTER.fullmatch(name)
        if named is None:
            continue
        if named[1] not in row or (named[1] in DATES and request.query.get("date") != "1"):
            raise Refusal(400, 32, "This filter does not exist.")
        if not _matches(row[named[1]], wanted):
            return False
    return True


def _matches(value: Any, wanted: str) -> bool:
    """``[a,b]`` from a to b, ``[a|b]`` one of them, ``[a]`` or ``a`` that alone."""
    inner = wanted[1:-1] if wanted.startswith("[") and wanted.endswith("]") else wanted
    if "," in inner:
        first, _, last = inner.partition(",")
        if isinstance(value, int):
            return int(first) <= value <= int(last)
        return first <= str(value) <= last
    return str(value) in inner.split("|")


def _sorted(request: web.Request, rows: list[dict[str, Any]], shop: Shop) -> list[dict[str, Any]]:
    """In the order asked for, else as the table has them."""
    asked = request.query.get("sort")
    if asked is None:
        return sorted(rows, key=lambda row: int(row["id"]))
    if not shop.habits.sorts:
        return []
    name, _, way = asked.strip("[]").rpartition("_")
    if rows and name not in rows[0]:
        raise Refusal(400, 38, "Unable to filter by this field.")
    return sorted(rows, key=lambda row: row[name], reverse=way == "DESC")


def _cut(request: web.Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    offset, _, count = request.query.get("limit", "").rpartition(",")
    first = int(offset or 0)
    return rows[first : first + int(count)] if count else rows


def _displayed(request: web.Request, row: dict[str, Any]) -> dict[str, Any]:
    asked = request.query.get("display", "[id]")
    if asked == "full":
        return row
    names = asked.strip("[]").split(",")
    if unknown := [name for name in names if name not in row]:
        raise Refusal(400, 35, f'Unable to display this field "{unknown[0]}".')
    return {name: row[name] for name in names}


def _as_json(request: web.Request) -> bool:
    return request.query.get("output_format", "").upper() == "JSON"


def _told(body: bytes) -> dict[str, str]:
    """The fields of the message in *body*."""
    try:
        root = Safe.fromstring(body)
    except ParseError:
        raise Refusal(500, 127, "XML error : String could not be parsed as XML") from None
    message = root.find("customer_message")
    if message is None:
        raise Refusal(400, 90, "id is required when modifying a resource")
    return {one.tag: one.text or "" for one in message}
