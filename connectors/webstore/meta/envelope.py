"""What every push is in: a list of entries, each of one number, page or profile. Pure.

An entry that is none costs no other: it is set aside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from core.errors import BadPayload
from core.transport import answers, salvage
from core.transport.answers import Answer

if TYPE_CHECKING:
    from core.model import Page, SetAside

MOST_DIGITS = 15
"""Digits of a time: far beyond any year."""

SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Envelope:
    """*object* says of what kind the *entries* are; *aside* is what is none."""

    object: str
    entries: tuple[dict[str, Any], ...]
    aside: tuple[SetAside, ...] = ()


@dataclass(slots=True)
class Told:
    """What a push holds, by account; *strange* counts parts that concern none of ours.

    *topics* are those of its kind's `offer.TOPICS` that are in it.
    """

    pages: dict[str, Page] = field(default_factory=dict)
    strange: int = 0
    topics: set[str] = field(default_factory=set)


def opened(body: bytes) -> Envelope:
    """What is in *body*.

    Raises:
        BadPayload: it is no envelope.
    """
    content = answers.decoded(Answer(200, {}, body), "push")
    if not isinstance(content, dict) or not isinstance(content.get("entry"), list):
        raise BadPayload("push: no envelope", raw=body, detail="misshapen")
    fit, aside = objects(content["entry"], "entry")
    return Envelope(str(content.get("object", "")), fit, aside)


def objects(content: Any, name: str) -> tuple[tuple[dict[str, Any], ...], tuple[SetAside, ...]]:
    """The objects of a list *content*, and what else stands in it."""
    if content is None:
        return (), ()
    listed = content if isinstance(content, list) else [content]
    fit = tuple(one for one in listed if isinstance(one, dict))
    odd = [one for one in listed if not isinstance(one, dict)]
    return fit, tuple(salvage.set_aside("", f"{name}: no object", one) for one in odd)


def instant(value: Any, per_second: int = 1) -> datetime | None:
    """A time as Meta tells it: seconds as text, or milliseconds as a number; None: it is none."""
    digits = str(value) if type(value) in {int, str} else ""
    if not digits.isascii() or not digits.isdigit() or len(digits) > MOST_DIGITS:
        return None
    try:
        at = datetime.fromtimestamp(int(digits) // per_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at.replace(microsecond=int(digits) % per_second * (1_000_000 // per_second))


def digest(*parts: str) -> str:
    """What stands in an id for *parts*, which may name a person."""
    told = SEPARATOR.join(parts).encode("utf-8", "surrogatepass")
    return sha256(told).hexdigest()[:24]
