"""Payloads that once did harm: kept as files, read again by every run, made as small as can be."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from tests.acceptance import accounted
from tests.acceptance.accounted import UNREADABLE
from tests.acceptance.moulds import Payload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    Fails = Callable[[Sequence[Payload]], Awaitable[bool]]

PLACE = Path(__file__).parent / "hostile"
SECONDS = 60.0
"""How long it may take to make a failing payload smaller."""


def read(path: Path) -> list[Payload]:
    """The payloads of one file, in the order in which they came."""
    return [_payload(said) for said in json.loads(path.read_text())]


def keep(payloads: Sequence[Payload], why: str) -> Path:
    """Write *payloads* to a file of their own; *why* is their fault in a few words."""
    told = [{"why": why} | _said(payload) for payload in payloads]
    text = json.dumps(told, indent=1) + "\n"
    name = f"{payloads[0].operation}-{sha256(text.encode()).hexdigest()[:10]}".lower()
    PLACE.mkdir(exist_ok=True)
    path = PLACE / f"{name}.json"
    path.write_text(text)
    return path


def _said(payload: Payload) -> dict[str, Any]:
    try:
        body: dict[str, Any] = {"text": payload.body.decode()}
    except UnicodeDecodeError:
        body = {"base64": b64encode(payload.body).decode()}
    return {
        "operation": payload.operation,
        **body,
        "whole": {thread: sorted(messages) for thread, messages in payload.whole.items()},
        "companions": {thread: _said(one) for thread, one in payload.companions.items()},
        "headers": dict(payload.headers),
        "sent": None if payload.sent is None else b64encode(payload.sent).decode(),
        "cut": payload.cut,
        "torn": payload.torn,
    }


def _payload(said: dict[str, Any]) -> Payload:
    return Payload(
        said["operation"],
        said["text"].encode() if "text" in said else b64decode(said["base64"]),
        {thread: frozenset(messages) for thread, messages in said.get("whole", {}).items()},
        companions={thread: _payload(one) for thread, one in said.get("companions", {}).items()},
        headers=said.get("headers", {}),
        sent=b64decode(said["sent"]) if said.get("sent") else None,
        cut=said.get("cut", 0),
        torn=said.get("torn", False),
    )


async def smallest(payloads: Sequence[Payload], fails: Fails) -> list[Payload]:
    """As few of *payloads*, and as little of each, as still *fails*."""
    until = monotonic() + SECONDS
    left = list(payloads)
    for one in payloads:
        fewer = [other for other in left if other is not one]
        if fewer and monotonic() < until and await fails(fewer):
            left = fewer
    for place, payload in enumerate(left):
        content = accounted.decoded(payload.body)
        if content is not UNREADABLE and payload.sent is None:
            left[place] = await _smaller(left, place, content, fails, until)
    return left


async def _smaller(
    payloads: list[Payload], place: int, content: Any, fails: Fails, until: float
) -> Payload:
    """The payload at *place* without whatever it can do without."""
    kept = payloads[place]
    path = next(paths := _paths(content), None)
    while path is not None and monotonic() < until:
        lighter = _without(content, path)
        made = replace(kept, body=json.dumps(lighter).encode())
        if not _is_whole(content, path, kept) and await fails(
            [*payloads[:place], made, *payloads[place + 1 :]]
        ):
            content, kept = lighter, made
            paths = _paths(content)
        path = next(paths, None)
    return kept


def _is_whole(content: Any, path: tuple[Any, ...], payload: Payload) -> bool:
    """Whether *path* leads into a thread that is to stay as it is, or around one."""
    inner = content
    for part in path:
        inner = inner[part]
        if isinstance(inner, dict) and inner.get("id") in list(payload.whole):
            return True
    return not payload.whole.keys().isdisjoint(accounted.scalars(inner))


def _paths(content: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each part, the large ones first."""
    if isinstance(content, dict | list) and len(at) < accounted.DEEPEST:
        parts = list(content) if isinstance(content, dict) else list(range(len(content)))
        yield from ((*at, part) for part in parts)
        for part in parts:
            yield from _paths(content[part], (*at, part))


def _without(content: Any, path: tuple[Any, ...]) -> Any:
    lighter = deepcopy(content)
    inner = lighter
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    return lighter
