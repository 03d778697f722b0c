"""Ways around a marketplace in a text: links, addresses of mail, phone numbers. Pure.

What stands for something else is none: an order's number, a date, a price, the number of a parcel.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from core.capabilities import Contact

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:]{1,64}@[^\s@<>()\[\],;:]{1,255}\.[^\W\d_]{2,24}")
_LINK = re.compile(
    r"(?:https?://|\bwww\.)[^\s<>\"']+"
    # A host alone: under an end that is no word or abbreviation after a full stop.
    r"|(?<![\w.@-])(?:[a-z0-9-]{1,63}\.){1,8}(?:com|net|org|shop|store|info|biz|io|eu|co\.uk|de|fr|es|pl|nl|jp|kr)\b"
    r"(?:/[^\s<>\"']*)?",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.+-])(?:"
    r"(?:\+|00)[1-9][\d ()./-]{6,20}\d"  # with the country's number
    r"|\(?0\d{1,5}\)?[ /.-]{1,3}\d[\d ./-]{4,14}\d"  # as it is written within a country
    r"|\(?[2-9]\d{2}\)?[ .-]{1,2}[2-9]\d{2}[ .-]\d{4}"  # North America
    r")(?![\w-])"
)
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:\D.*)?", re.DOTALL)
_TRAILING = ".,;:!?)»\u201d"
LOOKED_AT = 100_000
"""So many characters are looked at: longer texts are few, and no letter of an agent."""
FEWEST, MOST = 8, 15
"""How many digits a phone number has (E.164: at most 15)."""


class Found(NamedTuple):
    """*what* stands from character *start* to before *end*; *host* is where a link leads."""

    what: Contact
    start: int
    end: int
    host: str = ""


def found(text: str, known: Collection[str] = ()) -> list[Found]:
    """Every such place in *text*, in order; what *known* names (orders) is none."""
    text = text[:LOOKED_AT]
    links = list(_links(text))
    starts = [one.start for one in links]
    others = (*_addresses(text), *_phones(text))
    beside = [one for one in others if not _is_in(one, links, starts)]
    places = sorted((*links, *beside), key=lambda one: one.start)
    return [one for one in places if not _is_known(text, one, known)]


def is_within(host: str, hosts: Collection[str]) -> bool:
    """Whether *host* is one of *hosts*, or below one."""
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def _is_in(one: Found, links: Sequence[Found], starts: Sequence[int]) -> bool:
    """Whether *one* shares a character with one of *links*, which begin at *starts*, in order."""
    after = bisect_right(starts, one.start)
    inside = after > 0 and one.start < links[after - 1].end
    return inside or (after < len(links) and links[after].start < one.end)


def _addresses(text: str) -> Iterator[Found]:
    for match in _ADDRESS.finditer(text):
        yield Found("address", match.start(), match.end())


def _links(text: str) -> Iterator[Found]:
    for match in _LINK.finditer(text):
        if match.start() and text[match.start() - 1] in "@.":
            continue  # the end of an address of mail
        link = match[0].rstrip(_TRAILING)
        host = re.sub(r"^https?://", "", link, flags=re.IGNORECASE)
        host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2].partition(":")[0]
        if text[match.start() + len(link) : match.start() + len(link) + 1] == "@":
            continue  # its beginning
        yield Found("link", match.start(), match.start() + len(link), host.lower())


def _phones(text: str) -> Iterator[Found]:
    for match in _PHONE.finditer(text):
        digits = sum(letter.isdigit() for letter in match[0])
        if FEWEST <= digits <= MOST and not _DATE.fullmatch(match[0]):
            yield Found("phone", match.start(), match.end())


def _is_known(text: str, one: Found, known: Collection[str]) -> bool:
    said = text[one.start : one.end]
    return one.what == "phone" and any(said in id_ or id_ in said for id_ in known if id_)
