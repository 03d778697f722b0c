"""Invented conversations in the shape of a marketplace's inbox: the same seed, the same words."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

BASE = 1_780_000_000
"""When the first thread was changed, in seconds since 1970; each later one a second after it."""

SYLLABLES = """
    ba be bi da de do fa ge ha in ka la ma ne or pa ra sa te un ver wo zu chen schaft keit ung auf
    mit der die das ist nicht und ein paket sendung bestellung
""".split()  # noqa: SIM905  # forty words in forty pairs of quotes are no list to read

Thread = dict[str, Any]


@cache
def words() -> tuple[str, ...]:
    """Three thousand words that nobody has said."""
    by = Random(7)
    return tuple(
        "".join(by.choice(SYLLABLES) for _ in range(by.randint(1, 3))) for _ in range(3000)
    )


def text(by: Random, length: int) -> str:
    """So many characters of prose: a few words come often, most rarely."""
    known, found, size = words(), [], 0
    while size < length:
        often = min(int(by.paretovariate(0.6)) - 1, len(known) - 1)
        word = known[often] if by.random() < 0.5 else by.choice(known)
        found.append(word)
        size += len(word) + 1
    return " ".join(found)[:length]


@cache
def bodies() -> tuple[str, ...]:
    """What is said: so many texts that a packed page hardly holds one twice."""
    by = Random(11)
    return tuple(text(by, by.randint(300, 900)) for _ in range(5000))


def stamp(seconds: float) -> str:
    """As the marketplace writes an instant."""
    return (
        datetime.fromtimestamp(seconds, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def thread(by: Random, number: int, size: int) -> Thread:
    """The conversation with this number: buyer and shop in turn, *size* messages."""
    changed = BASE + number
    id_ = f"{by.getrandbits(32):08x}-0000-4000-8000-{number:012x}"
    messages = [_message(by, id_, number, place, size, changed) for place in range(size)]
    return {"number": number, "changed": changed, "messages": messages}


def _message(
    by: Random, thread: str, number: int, place: int, size: int, changed: int
) -> dict[str, Any]:
    ours = place % 2 == 1
    names = ("SHOP", "CUSTOMER") if ours else ("CUSTOMER", "SHOP")
    files = [{"id": str(by.getrandbits(40)), "name": text(by, 12) + ".jpg", "size": 20_000}]
    return {
        "id": f"{by.getrandbits(32):08x}-1111-4000-8000-{number * 10 + place:012x}",
        "thread_id": thread,
        "date_created": stamp(changed - 60 * (size - place)),
        "body": by.choice(bodies()),
        "from": {
            "type": f"{names[0]}_USER",
            "display_name": text(by, 16),
            "organization_details": {
                "display_name": text(by, 12), "id": str(by.randint(1000, 9999)), "type": names[0],
            },
        },
        "to": [
            {"type": names[1], "display_name": text(by, 14), "id": str(by.randint(1000, 9999))}
        ],
        "attachments": [] if by.random() < 0.8 else files,
        "visible_for_operator": True,
        "type": "MESSAGE",
        "date_updated": stamp(changed),
    }  # fmt: skip
