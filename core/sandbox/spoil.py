"""What can be wrong with an answer's bytes. Pure."""

from __future__ import annotations

import json
from typing import Any


def encode(content: Any) -> bytes:
    """JSON as marketplaces send it: raw UTF-8, escapes only where there is no other way."""
    try:
        return json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(content).encode()


def truncated(body: bytes) -> bytes:
    """The first two thirds: no JSON any more."""
    return body[: len(body) * 2 // 3]


def garbled(body: bytes) -> bytes:
    """With a byte that no UTF-8 has, inside the first message's text where there is one."""
    mark = b'"body": "'
    found = body.find(mark)
    at = found + len(mark) if found >= 0 else len(body) // 2
    return body[:at] + b"\xff" + body[at:]


def padded(body: bytes, size: int) -> bytes:
    """The same JSON object, at least *size* bytes long."""
    content = json.loads(body)
    if isinstance(content, dict):
        content["padding"] = "x" * size
    return encode(content)


def doubled(body: bytes) -> bytes:
    """Every item of every list at the top of the JSON object, once more."""
    content = json.loads(body)
    if isinstance(content, dict):
        content = {key: _twice(value) for key, value in content.items()}
    return encode(content)


def _twice(value: Any) -> Any:
    return [item for item in value for _ in range(2)] if isinstance(value, list) else value


def without(body: bytes, field: str) -> bytes:
    """The same JSON with a field taken out: ``data.metadata.total_count``.

    A list on the way means each of its items; ``data.0.id`` means that of the first one only.
    """
    content = json.loads(body)
    _remove(content, field.split("."))
    return encode(content)


def _remove(content: Any, path: list[str]) -> None:
    head, rest = path[0], path[1:]
    if isinstance(content, list):
        chosen, rest = ([int(head)], rest) if head.isdigit() else (range(len(content)), path)
        for place in chosen:
            if place < len(content) and rest:
                _remove(content[place], rest)
    elif isinstance(content, dict) and rest:
        _remove(content.get(head), rest)
    elif isinstance(content, dict):
        content.pop(head, None)


def replaced(body: bytes, field: str, value: Any) -> bytes:
    """The same JSON object with *field* set anew, where it has it and *value* is something."""
    content = json.loads(body)
    if isinstance(content, dict) and field in content and value is not None:
        content[field] = value
    return encode(content)


def with_items_of(body: bytes, other: bytes) -> bytes:
    """The JSON object *body*, every list at its top taken from *other*."""
    content, theirs = json.loads(body), json.loads(other)
    lists = {key: value for key, value in theirs.items() if isinstance(value, list)}
    return encode({**content, **lists})


def field_of(body: bytes, field: str) -> str | None:
    """The text of a field at the top of the JSON object *body*; None where there is none."""
    content = json.loads(body) if body else None
    value = content.get(field) if isinstance(content, dict) else None
    return value if isinstance(value, str) else None
