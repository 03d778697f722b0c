"""How far a search has come, and whether it has another page. Pure.

What was sent decides, readable or not: an item that was set aside has had its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic.alias_generators import to_camel

from core.errors import BadPayload

if TYPE_CHECKING:
    from connectors.ebay.dossiers.payload import Found
    from connectors.ebay.dossiers.sources import Source
    from core.transport.salvage import Salvaged

LIMIT = 100
"""Summaries a page: so many details mostly fit into a page's time."""

MOST_PAGES = 2_000


def came(source: Source, answer: Salvaged[Found]) -> int:
    """How many dossiers the page had, with those that could not be read."""
    return len(source.summaries(answer.value)) + answer.out.count(to_camel(source.members))


def require_counted(found: Found, came: int, offset: int) -> None:
    """Refuse an empty page that counts something beyond it (trap 35).

    Raises:
        BadPayload: it does.
    """
    counted = max((count for count in found.counts if count is not None), default=0)
    if not came and counted > offset:
        raise BadPayload("the search lists nothing of what it counts", detail="misshapen")


def goes_on(found: Found, came: int, offset: int) -> bool:
    """Whether the search has another page; eBay may send fewer than were asked for.

    Raises:
        BadPayload: it does not end.
    """
    if came and offset >= LIMIT * MOST_PAGES:
        raise BadPayload("the search does not end")
    paging = found.pagination_output
    totals = (paging.total_entries if paging else None, found.total)
    total = next((count for count in totals if count is not None), None)
    if came and total is not None and offset + came < total:
        return True
    limits = (paging.limit if paging else None, getattr(found, "limit", None), LIMIT)
    return came >= min(LIMIT, next(limit for limit in limits if limit)) > 0
