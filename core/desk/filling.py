"""The gaps of a macro, ``{{order_id}}``, and what fills them: names for texts, and nothing else.

Pure. No gap is code, and a text that fills one is not looked at for gaps again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from core.said import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GAP = re.compile(r"\{\{\s*([a-z][a-z0-9_]{0,40})\s*\}\}")

VARIABLES: Mapping[str, str] = {
    "order_id": phrase("the order that the thread is about"),
    "order_status": phrase("what the marketplace says of that order"),
    "bought_on": phrase("the day on which it was bought"),
    "ship_by": phrase("the day by which it is to be sent"),
    "shipped_on": phrase("the day on which it was sent"),
    "deliver_by": phrase("the day by which it is to arrive"),
    "item": phrase("the first thing that was bought"),
    "tracking": phrase("the number of the parcel; typed by the agent where no order tells it"),
    "buyer_first_name": phrase("the buyer's first name, where the marketplace shows a name"),
    "agent": phrase("who answers"),
    "shop": phrase("what the account is called"),
    "marketplace": phrase("the marketplace's name"),
    "due": phrase("until when an answer is due"),
    "follow_up": phrase("by when a further answer is promised with this reply"),
}
"""What a gap may ask for, and what that is."""


class Gap(NamedTuple):
    """A gap from character *start* to before *end*."""

    start: int
    end: int
    name: str


def gaps(text: str) -> Iterator[Gap]:
    """Every gap of *text*, in order."""
    for match in GAP.finditer(text):
        yield Gap(match.start(), match.end(), match[1])


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """*text* in order, cut where its gaps begin and end; each with whether it is a gap."""
    end = 0
    for gap in gaps(text):
        yield text[end : gap.start], False
        yield text[gap.start : gap.end], True
        end = gap.end
    yield text[end:], False


def fill(text: str, values: Mapping[str, str | None]) -> str:
    """*text* with its gaps filled; one without a value stays, so that a person sees it."""
    return GAP.sub(lambda gap: values.get(gap[1]) or f"{{{{{gap[1]}}}}}", text)


def unknown(text: str) -> list[str]:
    """The names in *text* that nothing could ever fill, each once."""
    return [name for name in dict.fromkeys(gap.name for gap in gaps(text)) if name not in VARIABLES]
