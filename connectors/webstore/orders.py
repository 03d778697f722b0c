"""The orders that people name in what they write, by a pattern of the shop's own. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from core.errors import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.model import Thread

LONGEST_PATTERN, LONGEST_ORDER = 200, 100
SEARCHED, MOST = 20_000, 10
"""So many characters of a text are searched, for so many orders."""


def _pattern(text: str) -> str:
    """A regular expression, which is tried on every message.

    Raises:
        Unfit: it is none.
    """
    try:
        re.compile(text)
    except re.error:
        raise Unfit(r"is no regular expression; write one like \b\d{6}\b") from None
    return text


Pattern = Annotated[str, Field(max_length=LONGEST_PATTERN), AfterValidator(_pattern)]


def named(texts: Iterable[str], pattern: str | None) -> tuple[str, ...]:
    """The orders in *texts*, each once: the first group of *pattern*, where it has one.

    None without a pattern: any five digits may be a price, a date or a street.
    """
    if pattern is None:
        return ()
    found: dict[str, None] = {}
    for text in texts:
        for match in _compiled(pattern).finditer(text[:SEARCHED]):
            told = ((match[1] if match.re.groups else match[0]) or "").strip()
            if told and len(told) <= LONGEST_ORDER and "\0" not in told:
                found[told] = None
    return tuple(found)[:MOST]


def newest(known: Thread | None, told: Thread) -> Thread:
    """The newer of two states of a conversation, *told* at one instant.

    Where it names no order, it is about those of the other: the ones that were named last.
    """
    if known is None:
        return told
    older, newer = sorted((known, told), key=attrgetter("as_of"))
    return newer if newer.order_ids else newer.model_copy(update={"order_ids": older.order_ids})


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
