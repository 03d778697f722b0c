"""What is no queue: threads that somebody looks for, and those that were answered lately.

A search is for one on the phone with a buyer, so it looks through all that somebody sees, whatever
became of it. That somebody searched is written down, and never for what: it may be a name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.access import Act
from core.store import audit, finding, transaction
from core.web import filters, lines, pages
from core.web.ways import parts, who

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aiohttp import web

    from core.access import Who
    from core.rules import Rules
    from core.store.finding import Found
    from core.web.filters import Filter
    from core.web.lines import Place

PAGE = 50
"""So many threads stand on a page."""
SEARCHED = "searched"
"""In a look's line, in place of what for."""


@dataclass(frozen=True, slots=True)
class Row:
    """A thread that was found, where it belongs, and how near its deadline is, while one runs."""

    found: Found
    place: Place
    band: str | None


async def show(request: web.Request, chosen: Filter) -> web.Response:
    """The page of what *chosen* looks for.

    Raises:
        Mistaken: it asks for what there is not.
        StoreUnavailable: the database does not answer.
    """
    rules, now = parts(request).rules(), parts(request).now()
    found, is_part = await looked_up(request, who(request), chosen)
    shown = found[:PAGE]
    is_listed = chosen.q is None
    return pages.page(
        request,
        "found.html",
        rows=_rows(shown, rules, now),
        chosen=chosen,
        is_part=is_part and not is_listed,
        days=finding.LATELY.days,
        more=_more(chosen, shown) if is_part and is_listed else None,
        first=filters.address(replace(chosen, after=None)) if chosen.after else None,
        mine=filters.address(filters.Filter(state="answered", claimed="mine")),
        by=lambda name: filters.address(filters.Filter(state="answered", by=name)),
    )


async def looked_up(
    request: web.Request, asks: Who, chosen: Filter, limit: int = PAGE
) -> tuple[Sequence[Found], bool]:
    """*limit* threads at most that *chosen* looks for, and whether there are more.

    That somebody looked is written down with it.

    Raises:
        Mistaken: it asks for what there is not.
    """
    filters.check(chosen)
    of, now = parts(request), parts(request).now()
    accounts = filters.sought(chosen, asks, of.rules().accounts).accounts
    reads = asks.may(Act.READ)
    async with transaction(of.pool()) as db:
        if chosen.q is not None:
            word = chosen.q.strip()
            found, is_part = await finding.search(db, word, accounts, now, limit, names=reads)
        else:
            by = asks.name if chosen.claimed else chosen.by
            several = await finding.answered(db, accounts, by, chosen.after, now, limit + 1)
            found, is_part = several[:limit], len(several) > limit
        if reads and (found or chosen.q is not None):
            await audit.write(db, asks, "look", detail=_noted(chosen, len(found)), now=now)
    return found, is_part


def _noted(chosen: Filter, threads: int) -> dict[str, str | int]:
    """What the audit trail says of a look."""
    told: dict[str, str | int] = {"filter": filters.query(replace(chosen, q=None))}
    told["threads"] = threads
    if chosen.q is not None:
        told[SEARCHED] = 1
    return told


def _rows(found: Sequence[Found], rules: Rules, now: datetime) -> list[Row]:
    places = {one.account: lines.place(rules, one.account) for one in found}
    return [Row(one, places[one.account], one.band(now)) for one in found]


def _more(chosen: Filter, shown: Sequence[Found]) -> str:
    return filters.address(replace(chosen, after=shown[-1].place))
