"""The queue: every thread that waits, of all accounts somebody sees, the nearest deadline first.

The address is the view: filters are links and a plain form. What changes comes live, and without
script by a refresh.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from core import labels, languages
from core.access import Act
from core.store import audit, board, transaction
from core.web import filters, found, lines, pages, terms, words
from core.web.filters import address
from core.web.glance import GLANCE
from core.web.shown import version
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aiohttp import web

    from core.access import Who
    from core.model import Account
    from core.rules import Rules
    from core.store.board import Line
    from core.web.filters import Filter
    from core.web.glance import Counts
    from core.web.pages import Audience

PAGE = 50
"""So many threads stand on a page."""
LIVE = "/live"


@dataclass(frozen=True, slots=True)
class Link:
    """One value of a filter: choosing it, or choosing it no more. *n*: None before a count."""

    name: str
    text: str
    href: str
    n: int | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A filter to choose from a list: pairs of (value, text)."""

    name: str
    text: str
    options: tuple[tuple[str, str], ...]
    chosen: str | None


async def show(request: web.Request) -> web.Response:
    """The page of the queue that the address asks for, or what it looks for.

    Raises:
        Mistaken: it asks for what there is not.
        StoreUnavailable: the database does not answer.
    """
    chosen = filters.of(request.query)
    if not chosen.is_queue:
        return await found.show(request, chosen)
    asks, rules, now = who(request), parts(request).rules(), parts(request).now()
    seen = await request.app[GLANCE].of(asks, now)
    several = await looked_up(request, asks, chosen)
    reader = pages.audience(request)
    return pages.page(
        request,
        "queue.html",
        rows=lines.rows(several[:PAGE], rules, now),
        troubles=seen.troubles,
        counts=seen.counts,
        alone=seen.alone,
        band_links=band_links(chosen, seen.counts, reader.say),
        marketplace_links=marketplace_links(chosen, seen.counts, visible(rules, asks)),
        fields=choices(chosen, rules, asks, several, reader),
        filtered=not replace(chosen, after=None).is_plain,
        more=_more(chosen, several),
        first=address(replace(chosen, after=None)) if chosen.after else None,
        here=address(chosen),
        q=None,
        state=None,
        limit=PAGE,
        live=None if chosen.after else live(chosen, several[:PAGE]),
    )


async def looked_up(
    request: web.Request, asks: Who, chosen: Filter, limit: int = PAGE
) -> list[Line]:
    """A page of *limit* lines and one more, if there is.

    That somebody looked at what buyers wrote is written down with it.
    """
    of, now = parts(request), parts(request).now()
    sought = filters.sought(chosen, asks, of.rules().accounts)
    async with transaction(of.pool()) as db:
        found = await board.lines(db, sought, now, limit + 1)
        if asks.may(Act.READ) and found:
            shown: dict[str, str | int] = {
                "filter": filters.query(chosen),
                "threads": min(len(found), limit),
            }
            await audit.write(db, asks, "look", detail=shown, now=now)
        return found


def visible(rules: Rules, asks: Who) -> dict[str, Account]:
    """The accounts of the settings that *asks* sees, by name, as they are sorted."""
    return {name: one for name, one in sorted(rules.accounts.items()) if asks.sees(name)}


def live(chosen: Filter, shown: list[Line], *more: str) -> str:
    """Where changes of a view come from: from what is *shown* on. *more* says which kind it is."""
    said = filter(None, (filters.query(chosen), *more, f"seen={version(shown)}"))
    return f"{LIVE}?{'&'.join(said)}"


def _more(chosen: Filter, found: list[Line]) -> str | None:
    """Where the next page is; None where this is the last."""
    if len(found) <= PAGE:
        return None
    return address(replace(chosen, after=found[PAGE - 1].place))


def band_links(chosen: Filter, counts: Counts | None, say: Callable[[str], str]) -> list[Link]:
    """The bands, the worst first."""
    return [
        Link(
            band,
            say(terms.term("band", band)),
            address(replace(chosen, band=None if chosen.band == band else band, after=None)),
            counts.bands[band] if counts else None,
            chosen.band == band,
        )
        for band in reversed(labels.BANDS)
    ]


def marketplace_links(
    chosen: Filter, counts: Counts | None, accounts: Mapping[str, Account]
) -> list[Link]:
    """The marketplaces of *accounts*; none where there is but one."""
    names = sorted({account.marketplace for account in accounts.values()})
    if len(names) < 2:
        return []
    return [
        Link(
            name,
            name,
            address(
                replace(
                    chosen,
                    marketplace=None if chosen.marketplace == name else name,
                    account=None,
                    after=None,
                )
            ),
            counts.marketplaces.get(name, 0) if counts else None,
            chosen.marketplace == name,
        )
        for name in names
    ]


def choices(
    chosen: Filter, rules: Rules, asks: Who, found: Iterable[Line], reader: Audience
) -> list[Field]:
    """What the form offers; what is chosen stands there whatever is offered."""
    accounts, say = visible(rules, asks), reader.say
    promises = {p.name for name in accounts for p in rules.policies.get(name, ())}
    offered = {
        "band": (say("Band"), _terms("band", say)),
        "marketplace": (say("Marketplace"), _names({a.marketplace for a in accounts.values()})),
        "account": (say("Account"), [(name, a.title or name) for name, a in accounts.items()]),
        "kind": (say("Kind"), _terms("kind", say)),
        "promise": (say("Policy"), _names(promises)),
        "language": (say("Language"), _tongues(found, reader.language)),
        "claimed": (say("Claimed by"), _terms("claimed", say)),
    }
    return [
        _field(name, text, options, getattr(chosen, name))
        for name, (text, options) in offered.items()
    ]


def _tongues(found: Iterable[Line], language: str) -> list[tuple[str, str]]:
    """The languages of *found*, and of each that is of a country the language itself, by name."""
    told = {line.language for line in found if line.language}
    codes = told | {languages.primary(code) for code in told}
    named = [(code, words.variety(language, code)) for code in codes]
    return sorted(named, key=itemgetter(1))


def _terms(of: str, say: Callable[[str], str]) -> list[tuple[str, str]]:
    return [(word, say(text)) for word, text in terms.TERMS[of].items()]


def _names(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(names)]


def _field(name: str, text: str, options: list[tuple[str, str]], chosen: str | None) -> Field:
    if chosen is not None and chosen not in dict(options):
        options = [*options, (chosen, chosen)]
    return Field(name, text, tuple(options), chosen)


WAYS = (Way("GET", "/", show, Act.LOOK),)
