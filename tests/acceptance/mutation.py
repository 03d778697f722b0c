"""Does to a real page what no marketplace should: to one item of it, to its envelope, its bytes."""

from __future__ import annotations

import json
import unicodedata
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.acceptance.moulds import CANARY, LISTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    Place = tuple[Any, Any]  # a container, and the key or number of what stands in it

INJECTED = (
    f"'; drop table message; -- {CANARY}", f"%s%n%x {CANARY}", f"{{0.__class__}} {CANARY}",
    f"${{jndi:ldap://127.0.0.1/{CANARY}}}", f"{CANARY}\n2026-11-22 [error] forged level=info",
    f"\x1b[31m{CANARY}\x1b[0m\x07", f"<script>{CANARY}</script>", f"=cmd|' /C calc'!A0 {CANARY}",
    f"{CANARY}\r\nSet-Cookie: a=b", "__proto__", "constructor", "toString", "__class__",
    f"../../{CANARY}", "null", "None", "NaN", "true", "0", "-1", "", " ", "\t", "\u200b", "\ufeff",
    "\u202e" + CANARY, "e\u0301" * 40, "\U0001f469\u200d\U0001f469" * 20, "\ud83d", "\udc00" * 2000,
    "\x00", f"a\x00{CANARY}", "\x01\x02\x7f\x85", "\ufb01 \u212b \u2126 \u017f", "İstanbul",
    "incident:1:1", "since:",
)  # fmt: skip
DATES = (
    "0001-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "1970-01-01T00:00:00Z",
    "1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-22",
    "2026-06-30T23:59:60Z", "2026-11-21T24:00:00Z", "2026-11-21T12:00:00", "20261121T120000Z",
    "2026-11-21T12:00:00+99:99", "2026-11-21T12:00:00+14:00", "2026-11-21T12:00:00.123456789Z",
    "2026-W47-6T12:00:00", "2026-11-21 12:00:00Z", "+002026-11-21T12:00:00Z", "1795262400",
    "2026-11-21T12:00:00-00:00", "2026-11-22T12:59:59Z", "2026-11-22T13:00:01Z", "T",
    "\uff12\uff10\uff12\uff16-11-21T12:00:00Z",
    "2037-12-31T00:00:00Z", "2026-11-21T12:00:00Z\x00",
    " 2026-11-21T12:00:00Z", "2026-10-25T02:30:00+01:00",
    f"Sat, 21 Nov 2026 12:00:00 GMT {CANARY}", "2026-11-21t12:00:00z", "-2026-11-21T12:00:00Z",
)  # fmt: skip
WORDS = (
    "CUSTOMER_USER", "SHOP_USER", "OPERATOR_USER", "CUSTOMER", "SHOP", "OPERATOR", "shop_user",
    "SYSTEM_USER", "REASON_CODE", "FREE_TEXT", "MMP_ORDER", "INCIDENT_OPEN", "INCIDENT_CLOSED",
    "REFUNDED", "TO_COLLECT", "INCIDENT_REOPENED", "SHIPPED", " SHOP_USER ", "NEW_KIND",
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 5, 100, 101, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 0.0, -0.0, 1.5, 1e300,
    float("nan"), float("inf"), float("-inf"), 5.0, True, False,
)  # fmt: skip
# What no dictionary holds: it goes into the text itself, as it is.
RAW = (
    b"NaN", b"-Infinity", b"1e400", b"1E+2", b"-0", b"0.1e-7", b"9" * 4300, b"9" * 5000,
    b"-" + b"9" * 5000, b"9" * 5000 + b".5", b'"\x00"', b'"a\nb\tc"', b'"\x1b[31m\x07"',
    b'"\xff\xfe kanarienvogel"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xf4\x90\x80\x80"',
    b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\u0000"', b'"\\ud83d\\ude00"', b"[" * 150 + b"]" * 150,
    b"[" * 600 + b"]" * 600, b'{"a":' * 300 + b"1" + b"}" * 300,
    b'{"id":"twice-a","id":"twice-b"}', b'{"id":1,"id":null,"id":"last"}', b'{"":"","":1}',
    b'{"__proto__":{"id":"x"},"constructor":{"prototype":1}}', b"[null,null,[],{},0]",
)  # fmt: skip
ANYWHERE = 0.6
DEEPEST = 20
ROOM = 8
"""The most that is done to one item."""


def value(random: Random) -> Any:
    """Something that should not stand there."""
    kind = random.randrange(12)
    if kind < 3:
        return random.choice(INJECTED)
    if kind < 5:
        return random.choice(DATES)
    if kind < 7:
        return random.choice(NUMBERS)
    if kind == 7:
        return random.choice(WORDS)
    if kind == 8:
        return _long(random)
    return random.choice((None, [], {}, [None], {"id": None}, [[]], [CANARY], {CANARY: 1}))


def _long(random: Random) -> str:
    letter = random.choice(("x", "é", "\ud800", "'", "\u0301", "0"))
    return letter * random.choice((299, 301, 501, 899, 901, 999, 1001, 1999, 2001, 5000))


def spoil(random: Random, item: Any, known: Sequence[str]) -> tuple[list[Any], list[str]]:
    """What a few faults make of *item*, and their names; *known* are ids that are stored already.

    It may be gone, or there twice.
    """
    box = [deepcopy(item)]
    made = []
    for _ in range(1 + min(int(random.expovariate(0.9)), ROOM)):
        container, key = _place(random, box)
        fault = random.choice(FAULTS)
        fault(random, container, key, known)
        made.append(fault.__name__.strip("_"))
        if not box:
            break
    return box, made


def _place(random: Random, box: list[Any]) -> Place:
    """Somewhere in what *box* holds: any place of all, or more likely a high one."""
    if random.random() < ANYWHERE:
        return random.choice(list(_places(box)))
    container: Any = box
    key: Any = 0
    while True:
        inner = container[key]
        if not isinstance(inner, dict | list) or not inner:
            return container, key
        at_root = container is box
        if random.random() < (0.06 if at_root else 0.25):
            return container, key
        container = inner
        key = random.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))


def _places(container: Any, depth: int = 0) -> Iterator[Place]:
    for key in list(container) if isinstance(container, dict) else range(len(container)):
        yield container, key
        if isinstance(container[key], dict | list) and depth < DEEPEST:
            yield from _places(container[key], depth + 1)


def _delete(random, container, key, known):
    del container[key]


def _replace(random, container, key, known):
    container[key] = value(random)


def _null(random, container, key, known):
    container[key] = None


def _write_raw(random, container, key, known):
    container[key] = Raw(random.choice(RAW))


def _wrap(random, container, key, known):
    container[key] = random.choice((lambda v: [v], lambda v: {"value": v}, lambda v: [[v], v]))(
        container[key]
    )


def _unwrap(random, container, key, known):
    inner = container[key]
    if isinstance(inner, dict) and inner:
        container[key] = inner[random.choice(list(inner))]
    elif isinstance(inner, list) and inner:
        container[key] = inner[0]
    else:
        container[key] = []


def _as_text(random, container, key, known):
    container[key] = json.dumps(container[key], default=str)


def _rename(random, container, key, known):
    """The key in other letters, or its value under a neighbour's name."""
    if not isinstance(container, dict):
        container.insert(0, container[key])
        return
    others = (key.upper(), f" {key}", key.replace("_", ""), "", f"{key}\x00", *container)
    container[random.choice(others)] = container.pop(key)


def _twice(random, container, key, known):
    """The same again: in a list once more, in an object under a name that is there twice."""
    if isinstance(container, list):
        container.insert(random.randrange(len(container) + 1), deepcopy(container[key]))
    else:
        container[Twin(key)] = value(random)


def _many(random, container, key, known):
    inner = container[key]
    if isinstance(inner, list) and inner:
        inner.extend(deepcopy(inner[0]) for _ in range(random.choice((2, 30, 120))))
    else:
        container[key] = [inner] * random.choice((2, 30, 120))


def _shuffle(random, container, key, known):
    if isinstance(container, list):
        random.shuffle(container)
    else:
        other = random.choice(list(container))
        container[key], container[other] = container[other], container[key]


def _other_id(random, container, key, known):
    """An id that is somebody else's, or that only nearly is."""
    names = [name for name in ("id", "order_id", "order_line_id") if _holds(container, name)]
    if not names:
        container[key] = random.choice(known)
        return
    name = names[0]
    own = container[name] if isinstance(container[name], str) else random.choice(known)
    alike = (
        own.upper(), own.swapcase(), f"{own} ", f" {own}", own[:-1], own * 30, f"{own}é",
        unicodedata.normalize("NFD", f"{own}é"), f"{own}\u200b", f"{own}\x00", f"{own}\ud800",
    )  # fmt: skip
    container[name] = random.choice((random.choice(known), random.choice(alike), value(random)))


def _holds(container: Any, name: str) -> bool:
    return isinstance(container, dict) and name in container


def _date(random, container, key, known):
    dated = [name for name in container if "date" in str(name)] if _is_object(container) else []
    container[random.choice(dated) if dated else key] = random.choice(DATES)


def _is_object(container: Any) -> bool:
    return isinstance(container, dict)


def _word(random, container, key, known):
    container[key] = random.choice(WORDS)


def _inject(random, container, key, known):
    container[key] = random.choice(INJECTED)


def _circle(random, container, key, known):
    """A quote of a quote of itself, as far as JSON can say so."""
    inner = container[key]
    for _ in range(random.choice((1, 3, 6))):
        inner = {"quoted": inner, "id": random.choice(known)}
    container[key] = inner


FAULTS: tuple[Callable[..., None], ...] = (
    _delete, _replace, _null, _write_raw, _wrap, _unwrap, _as_text, _rename, _twice, _many,
    _shuffle, _other_id, _other_id, _date, _word, _inject, _circle,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that are to stand in the JSON as they are."""

    content: bytes


class Twin(str):
    """A key that is written as another one of the same object is."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(str(self)) ^ 1

    def __eq__(self, other: object) -> bool:
        return self is other


def written(content: Any) -> bytes:
    """*content* as JSON, raw parts and twins in their places."""
    raws: list[bytes] = []
    text = json.dumps(_marked(content, raws)).encode()
    for n, raw in enumerate(raws):
        text = text.replace(f'"@@raw{n}@@"'.encode(), raw)
    return text.replace(b"@@twin@@", b"")


def _marked(content: Any, raws: list[bytes]) -> Any:
    if isinstance(content, Raw):
        raws.append(content.content)
        return f"@@raw{len(raws) - 1}@@"
    if isinstance(content, dict):
        return {
            (f"@@twin@@{name}" if isinstance(name, Twin) else name): _marked(inner, raws)
            for name, inner in content.items()
        }
    return [_marked(inner, raws) for inner in content] if isinstance(content, list) else content


def envelope(random: Random, page: dict[str, Any], operation: str) -> tuple[str, bool]:
    """Spoil what is around the items; the name of the fault, and whether they are still there."""
    name = random.choice((*page, LISTS.get(operation, "shop_id")))
    fault = random.choice((_delete, _replace, _null, _write_raw, _wrap, _as_text, _rename, _twice))
    if name in page:
        fault(random, page, name, ("x",))
    is_there = name in {"next_page_token", "total_count"} and fault is not _rename
    return f"envelope {name} {fault.__name__.strip('_')}", is_there
