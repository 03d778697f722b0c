"""An account of what a page held, made without the product: was each thing stored, or set aside?"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from core.store import legible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNREADABLE = object()
LONGEST = 4300
OPEN = "INCIDENT_OPEN"
BEGIN = 200
DEEPEST = 100
IDS = ("id", "order_id", "order_line_id")


@dataclass(slots=True)
class Books:
    """What the database holds: ids that are stored, and what was set aside, in all its parts.

    *marked* are threads with a mark that was stored, *clicked* begins of those of which a click was
    set aside, *refused* the ids of what PostgreSQL did not take or could not be kept as it came.
    """

    threads: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    marked: set[str] = field(default_factory=set)
    clicked: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    parts: set[bytes] = field(default_factory=set)
    faults: set[tuple[str, str]] = field(default_factory=set)
    """By id, which fields were set aside: of the same fault of the same thing the first is kept."""

    def put_aside(self, source: str, reason: str, raw: bytes) -> None:
        """Enter a row of `set_aside`; what stands in a thread that is stored has to be so too."""
        content = decoded(raw)
        if content is UNREADABLE or reason.startswith("unstorable"):
            self.refused.add(source)
            return
        if reason.startswith("no_store_reply_needed"):
            self.clicked.add((source.rpartition("/")[0] or source)[:BEGIN])
        of = [text_of(content.get(name)) for name in IDS] if isinstance(content, dict) else []
        where = reason.partition(":")[0].rpartition(".")[2]
        self.faults.update((name, where) for name in of if name is not None)
        if where.endswith("id"):
            self.refused.update(filter(None, of))
        whole, every = digests(content)
        is_stored = isinstance(content, dict) and text_of(content.get("id")) in self.threads
        self.parts.update([whole] if is_stored else every)

    def has_aside(self, content: Any, name: str | None = None) -> bool:
        """Whether *content* was set aside, or what has this *name* was refused."""
        known = name is not None and not self.refused.isdisjoint((name, legible(name)))
        return known or digests(content)[0] in self.parts


def decoded(body: bytes) -> Any:
    """The JSON that *body* is, as leniently as can be; `UNREADABLE` where it is none."""
    for encoding in dict.fromkeys(("utf-8", json.detect_encoding(body))):
        try:
            text = body.decode(encoding, "replace").removeprefix("\ufeff")
            return json.loads(text, strict=False, parse_int=_whole)
        except (ValueError, RecursionError):
            continue
    return UNREADABLE


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST else digits


def digests(content: Any) -> tuple[bytes, set[bytes]]:
    """What *content* is known by, and all that stands in it."""
    every: set[bytes] = set()
    return _digest(content, every), every


def _digest(content: Any, every: set[bytes], depth: int = 0) -> bytes:
    if depth > DEEPEST:
        told = json.dumps(content, sort_keys=True).encode()
    elif isinstance(content, dict):
        told = b"{" + b"".join(
            sorted(
                repr(name).encode() + _digest(one, every, depth + 1)
                for name, one in content.items()
            )
        )
    elif isinstance(content, list):
        told = b"[" + b"".join([_digest(one, every, depth + 1) for one in content])
    else:
        told = repr(content).encode()
    made = sha256(told).digest()[:12]
    every.add(made)
    return made


def text_of(value: Any) -> str | None:
    """An id as text; None for what is none, as a number with a point."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def scalars(content: Any) -> Iterator[str]:
    """Every text and number of *content*, as text: what it may name."""
    left = [content]
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            left += one.values() if isinstance(one, dict) else one
        elif (said := text_of(one)) is not None:
            yield said


def lost(operation: str, content: Any, books: Books) -> list[str]:
    """What of *content* is neither stored nor set aside: where it stands, in words."""
    if operation == "M11":
        return list(_of_threads(_listed(content, "data"), books))
    if operation == "M10":
        return list(_of_threads([content], books))
    if operation == "OR11":
        return list(_of_orders(_listed(content, "orders"), books))
    return []


def _listed(content: Any, name: str) -> list[Any]:
    inner = content.get(name) if isinstance(content, dict) else None
    return inner if isinstance(inner, list) else []


def _of_threads(threads: Iterable[Any], books: Books) -> Iterator[str]:
    for n, thread in enumerate(threads):
        name = text_of(thread.get("id")) if isinstance(thread, dict) else None
        if name in books.threads:
            yield from (f"thread {n}: {what}" for what in _of_thread(thread, name, books))
        elif not books.has_aside(thread, name):
            yield f"thread {n}"


def _of_thread(thread: dict[str, Any], name: str, books: Books) -> Iterator[str]:
    said = thread.get("messages")
    is_known = (name, "messages") in books.faults or books.has_aside(thread)
    if not isinstance(said, list | None) and not is_known:
        yield "messages are no list, and nobody knows"
    for n, message in enumerate(said if isinstance(said, list) else ()):
        own = text_of(message.get("id")) if isinstance(message, dict) else None
        if own not in books.messages and not books.has_aside(message, own):
            yield f"message {n}"
    clicks = thread.get("no_store_reply_needed")
    for n, click in enumerate(clicks if isinstance(clicks, list) else ()):
        known = name in books.marked or _begin(name) in books.clicked
        if not known and not books.has_aside(click):
            yield f"click {n}"


def _begin(name: str) -> str:
    """How a name begins in a row, whatever is appended to it there."""
    return legible(name, len(name))[:BEGIN]


def _of_orders(orders: Iterable[Any], books: Books) -> Iterator[str]:
    for n, order in enumerate(orders):
        own = text_of(order.get("order_id")) if isinstance(order, dict) else None
        if books.has_aside(order, own):
            continue
        lines = order.get("order_lines") if isinstance(order, dict) else order
        is_odd = not isinstance(lines, list | None) and (own, "order_lines") not in books.faults
        if own is None or is_odd:
            yield f"order {n}"
        for m, line in enumerate(lines if isinstance(lines, list) else ()):
            if own is not None and not _is_known(line, own, books):
                yield f"order {n}: line {m}"


def _is_known(line: Any, order: str, books: Books) -> bool:
    """Whether a line is set aside, or none that anybody waits for, or has its thread."""
    own = text_of(line.get("order_line_id")) if isinstance(line, dict) else None
    if books.has_aside(line, own):
        return True
    if own is None:
        return False
    return line.get("order_line_state") != OPEN or incident(order, own) in books.threads


def incident(order: str, line: str) -> str:
    """The id of an incident's thread."""
    told = (quote(one, safe="", errors="replace") for one in (order, line))
    return ":".join(("incident", *told))
