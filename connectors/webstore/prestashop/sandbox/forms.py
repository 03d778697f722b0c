"""How the webservice writes rows and errors: its own XML, and JSON where that is asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.webstore.prestashop.sandbox.shop import Habits

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
ROOT = '<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">'
ONE = {
    "configurations": "configuration",
    "customer_messages": "customer_message",
    "customer_threads": "customer_thread",
    "orders": "order",
}
AS_NUMBER = frozenset({"id"})


class Refusal(Exception):
    """What is wrong: an HTTP status and PrestaShop's own code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def listed(
    resource: str, rows: Sequence[Mapping[str, Any]], habits: Habits, *, as_json: bool
) -> web.Response:
    """A list; an empty one has no name in JSON."""
    if as_json:
        told = {resource: [_shown(row, habits) for row in rows]}
        return _json(json.dumps(told, ensure_ascii=False) if rows else habits.empty)
    inner = "".join(_element(ONE[resource], row) for row in rows)
    return _xml(f"<{resource}>{inner}</{resource}>" if rows else "")


def single(
    resource: str, row: Mapping[str, Any], habits: Habits, *, as_json: bool, status: int
) -> web.Response:
    """One row."""
    if as_json:
        told = {ONE[resource]: _shown(row, habits)}
        return _json(json.dumps(told, ensure_ascii=False), status)
    return _xml(_element(ONE[resource], row), status)


def index(rights: Mapping[str, set[str]]) -> web.Response:
    """What the key may do, resource by resource."""
    words = ("GET", "PUT", "POST", "DELETE", "HEAD")
    inner = "".join(
        f"<{name} "
        + " ".join(f'{word.lower()}="{str(word in told).lower()}"' for word in words)
        + "/>"
        for name, told in rights.items()
        if told
    )
    return _xml(f"<api>{inner}</api>")


def refused(refusal: Refusal, *, as_json: bool) -> web.Response:
    """An error; a key that is not known is asked for by Basic."""
    if as_json:
        told = json.dumps(error(refusal.status, refusal.code, str(refusal)))
        answer = _json(told, refusal.status)
    else:
        inner = f"<code>{_cdata(refusal.code)}</code><message>{_cdata(refusal)}</message>"
        answer = _xml(f"<errors><error>{inner}</error></errors>", refusal.status)
    if refusal.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Welcome to PrestaShop Webservice"'
    return answer


def error(status: int, code: int = 999, message: str = "ordered fault") -> dict[str, Any]:
    """An error's body in JSON."""
    del status
    return {"errors": [{"code": code, "message": message}]}


def _shown(row: Mapping[str, Any], habits: Habits) -> dict[str, Any]:
    """The id is a number; all others are text, by version."""
    return {
        name: value
        if name in AS_NUMBER or habits.numbers or isinstance(value, dict)
        else str(value)
        for name, value in row.items()
    }


def _element(name: str, row: Mapping[str, Any]) -> str:
    inner = "".join(
        f"<{key}>{_cdata(value)}</{key}>" for key, value in row.items() if key != "associations"
    )
    return f"<{name}>{inner}</{name}>"


def _cdata(value: object) -> str:
    return f"<![CDATA[{str(value).replace(']]>', ']]]]><![CDATA[>')}]]>"


def _json(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, body=text.encode(), content_type="application/json")


def _xml(inner: str, status: int = 200) -> web.Response:
    body = f"{HEAD}{ROOT}\n{inner}\n</prestashop>\n".encode()
    return web.Response(status=status, body=body, content_type="text/xml")
