"""JSON of which an expression finds a value: JMESPath the other way round. Pure."""

from __future__ import annotations

from typing import Any

from connectors.webstore.generic.paths import compiled
from core.errors import SettingsError

ONWARD = frozenset({"subexpression", "pipe"})
YES = True
LISTS = frozenset({"projection", "flatten", "filter_projection"})


def put(path: str | None, value: Any, into: Any = None) -> Any:
    """*into*, changed so that *path* finds *value* in it.

    Raises:
        SettingsError: nobody can tell how.
    """
    return into if path is None else _put(compiled(path).parsed, value, into)


def holding(path: str, into: Any) -> Any:
    """*into*, changed so that the condition *path* holds.

    Raises:
        SettingsError: nobody can tell how.
    """
    return _holding(compiled(path).parsed, into)


def _put(node: Any, value: Any, into: Any) -> Any:
    kind, below = node["type"], node["children"]
    if kind == "field":
        return {**(into if isinstance(into, dict) else {}), node["value"]: value}
    if kind in ONWARD:
        first, *rest = below
        further = rest[0] if len(rest) == 1 else {"type": kind, "children": rest}
        return _put(first, _put(further, value, _there(first, into)), into)
    if kind in LISTS:
        return _listed(node, value, into)
    if kind == "index_expression":
        return _put(below[0], [value], into)
    if kind == "or_expression":
        return _put(below[0], value, into)
    if kind in {"identity", "current", "literal"}:
        return into if kind == "literal" else value
    raise SettingsError([f"a stand-in cannot write what this finds: {kind}; simplify it there"])


def _listed(node: Any, value: Any, into: Any) -> Any:
    """Each of a list of values at the place of the right hand side."""
    left, *rest = node["children"]
    values = value if isinstance(value, list) else [value]
    if not rest:
        return _put(left, values, into)
    inner = [_put(rest[0], each, None) for each in values]
    if len(rest) > 1:
        inner = [_holding(rest[1], each) for each in inner]
    return _put(left, inner, into)


def _holding(node: Any, into: Any) -> Any:
    kind, below = node["type"], node["children"]
    if kind == "and_expression":
        return _holding(below[1], _holding(below[0], into))
    if kind == "comparator" and node["value"] == "eq" and below[1]["type"] == "literal":
        return _put(below[0], below[1]["value"], into)
    if kind == "field":
        return into if _there(node, into) else _put(node, YES, into)
    raise SettingsError([f"a stand-in cannot make this hold: {kind}; simplify it there"])


def _there(node: Any, into: Any) -> Any:
    """What is at a field already."""
    if node["type"] == "field" and isinstance(into, dict):
        return into.get(node["value"])
    if node["type"] == "subexpression":
        for each in node["children"]:
            into = _there(each, into)
        return into
    return None
