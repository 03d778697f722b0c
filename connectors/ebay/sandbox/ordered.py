"""What an order by HTTP may say: each of its words, read as what carries it out wants it. Pure.

What does not fit is told in words, with what would.
"""

from __future__ import annotations

import inspect
import json
from datetime import datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, get_args

from connectors.ebay.sandbox.cancellations import Cancellation
from connectors.ebay.sandbox.cases import Case
from connectors.ebay.sandbox.conversations import Media
from connectors.ebay.sandbox.desk import Party, Slip
from connectors.ebay.sandbox.disputes import Dispute
from connectors.ebay.sandbox.inquiries import Inquiry
from connectors.ebay.sandbox.returns import DECISIONS, Return
from connectors.ebay.sandbox.signing import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

KINDS = tuple(kind.KIND for kind in (Inquiry, Return, Cancellation, Case, Dispute))
LONGEST = timedelta(days=3_650)
MOST_COUNTED = 1_000_000


class Unfit(Exception):
    """An order cannot be understood; the text says what it may say."""


def listed(words: Iterable[str]) -> str:
    """Several words in a sentence."""
    return ", ".join(words) or "none"


def takes(do: Callable[..., object]) -> dict[str, bool]:
    """The words that *do* takes, and whether each must be there."""
    found = inspect.signature(do).parameters.values()
    return {one.name: one.default is one.empty for one in found if one.name in READ}


def fitted(act: str, do: Callable[..., object], how: Mapping[str, Any]) -> dict[str, Any]:
    """What *do* is called with, as the order *how* says; null is as good as nothing.

    Raises:
        Unfit: it lacks something, or says what *act* does not take, or not so.
    """
    said, known = {name: value for name, value in how.items() if value is not None}, takes(do)
    wrong = [f"not {name}" for name in said if name not in known]
    wrong += [f"and lacks {name}" for name, must in known.items() if must and name not in said]
    if wrong:
        raise Unfit(f"{act} takes {listed(known)}; {listed(wrong)}")
    return {name: read(name, value) for name, value in said.items()}


def read(name: str, value: Any) -> Any:
    """The *value* of the word *name*.

    Raises:
        Unfit: it is none.
    """
    try:
        return READ[name](value)
    except Unfit as unfit:
        raise Unfit(f"{name} {unfit}") from None


def like(known: Any, value: Any) -> Any:
    """*value* in place of *known*, which is of the kind that is wanted.

    Raises:
        Unfit: it is of another.
    """
    if isinstance(known, timedelta):
        return _span(value)
    if isinstance(known, bool):
        return _truth(value)
    if isinstance(known, int):
        return _count(value)
    return _share(value) if isinstance(known, float) else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit("is no text")
    return value


def _instant(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(_text(value))
    except (ValueError, Unfit):
        at = None
    if at is None or at.tzinfo is None:
        raise Unfit("is no instant; write it as 2026-11-20T12:00:00Z")
    return at


def _span(value: Any) -> timedelta:
    seconds = _number(value)
    if not 0 <= seconds <= LONGEST.total_seconds():
        raise Unfit("is no time; write seconds, ten years at most")
    return timedelta(seconds=seconds)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Unfit("is no number")
    return value


def _share(value: Any) -> float:
    if not 0 <= _number(value) <= 1:
        raise Unfit("is no share; write 0 to 1")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_COUNTED:
        raise Unfit(f"is no count; write a number from 0 to {MOST_COUNTED}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit("is neither true nor false")
    return value


def _one_of(*words: str) -> Callable[[Any], str]:
    def one(value: Any) -> str:
        if value not in words:
            raise Unfit(f"is none of {listed(words)}")
        return str(value)

    return one


def _media(value: Any) -> list[Media]:
    if not isinstance(value, list):
        raise Unfit("is no list; write [name, type, address] for each file")
    for item in value:
        texts = isinstance(item, list) and all(isinstance(part, str) for part in item)
        if not texts or len(item) != len(Media._fields):
            raise Unfit("holds no file; write [name, type, address] for each")
    return [Media(*item) for item in value]


def _object(value: Any) -> dict[str, Any]:
    """Anything that a push can carry."""
    if not isinstance(value, dict):
        raise Unfit('is no object; write {"name": "value"}')
    try:
        json.dumps([[[value]]], allow_nan=False)
    except (ValueError, RecursionError):
        raise Unfit("is no JSON that can be sent") from None
    return value


_party = _one_of(*get_args(Party))

READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("text", "title", "buyer", "reason", "carrier", "number", "member", "topic", "context",
         "api", "ended", "from_mail"),
        _text,
    ),
    **dict.fromkeys(("at", "due_at", "oldest", "newest"), _instant),
    **dict.fromkeys(("count", "strangers", "calls", "revision"), _count),
    **dict.fromkeys(
        ("is_read", "is_held", "is_vague", "is_silenced", "accepts", "won"), _truth
    ),
    **dict.fromkeys(("by", "requestor", "favour"), _party),
    "within": _span,
    "media": _media,
    "data": _object,
    "kind": _one_of(*KINDS),
    "slip": _one_of(*get_args(Slip)),
    "digest": _one_of(*get_args(Digest)),
    "decision": _one_of(*DECISIONS),
    "choice": _one_of("CONTEST", "ACCEPT"),
}  # fmt: skip
"""How each word of an order is read."""
