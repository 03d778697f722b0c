"""Reads dossiers: walks the searches of one kind, and asks for single ones by their id.

A search tells most dates, so that what fails of a detail costs no deadline: the summary is stored,
what stands in the detail alone goes on as it was read, and the detail is asked for again before the
walk ends. What is unchanged is not asked for again, but for a few in turn: a message may change no
summary.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from connectors.ebay.dossiers import answering, dossier, walk
from connectors.ebay.dossiers.dossier import Doubts, instant
from connectors.ebay.dossiers.payload import Steps
from connectors.ebay.dossiers.sources import SOURCES, source_of
from connectors.ebay.dossiers.walk import Cursor, Known, Position
from core.errors import BadPayload, RateLimited, Unreachable
from core.together import gathered
from core.transport import salvage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connectors.ebay.access import Access
    from connectors.ebay.dossiers.dossier import Dossier
    from connectors.ebay.dossiers.payload import Found, Payload
    from connectors.ebay.dossiers.sources import Source
    from connectors.ebay.dossiers.walk import Search
    from connectors.ebay.options import EbayOptions
    from core.connector import Sent
    from core.model import Draft, Page, SetAside, Thread
    from core.transport.salvage import Salvaged

LIMIT = 100
"""Summaries a page: so many details fit into a page's time."""

AT_ONCE = 5
IN_TURN = 10
"""How many unchanged dossiers are read again in a walk."""

A_PAGE = 20
"""How many dossiers are asked for by their id in a page."""

MOST_PAGES = 2_000
NEAR = timedelta(minutes=1)
GONE = frozenset({"404", "410"})


@dataclass(slots=True)
class _Found:
    """What a page comes to."""

    dossiers: list[Dossier] = field(default_factory=list)
    given: list[tuple[str, Any]] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    open: dict[str, Known | None] = field(default_factory=dict)
    owed: list[str] = field(default_factory=list)

    def page(self, now: datetime) -> Page:
        page = dossier.page(self.dossiers, now)
        return replace(page, given=(*page.given, *self.given), set_aside=tuple(self.aside))


class Dossiers:
    """The dossiers of one account; keeps nothing between calls."""

    def __init__(self, access: Access, options: EbayOptions) -> None:
        self._access, self._options = access, options

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``inquiries``, ``returns``, ``cancellations``, ``cases`` or ``disputes``."""
        source, before = SOURCES[stream], Cursor.read(cursor)
        at = Position.read(position, before)
        plan = walk.searches(source, before, self._options.overlap, now)
        if at.ask is None and at.search < len(plan):
            found, at = await self._listed(source, before, plan, at, now)
        else:
            found, at = await self._asked(source, at, now)
        page = found.page(now)
        if at.ask != ():
            return replace(page, position=at.write(), more=True)
        swept = now if walk.is_sweep(before, now) else before.swept
        return replace(page, cursor=Cursor(now, swept, at.open).write())

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These dossiers as they are now; those that eBay does not know are left out."""
        found = _Found()
        for thread in threads:
            known = source_of(thread)
            if known is not None:
                await self._look(*known, found, now)
        return found.page(now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:  # noqa: ARG002  # the protocol hands it to everybody
        """Write to the buyer of an inquiry or a return."""
        return await answering.reply(self._access, thread, draft)

    async def _listed(
        self, source: Source, before: Cursor, plan: list[Search], at: Position, now: datetime
    ) -> tuple[_Found, Position]:
        """One page of a search: what is new in it, with details."""
        answer = await self._page(source, plan[at.search], at.offset)
        every = source.summaries(answer.value)
        _require_counted(answer, len(every), at.offset)
        fresh = {source.id_of(one): one for one in every if self._is_ours(source, one)}
        found = _Found(aside=list(answer.aside))
        news = [
            one for id_, one in fresh.items()
            if id_ not in at.listed and self._is_news(source, before, one, found, now)
        ]  # fmt: skip
        await self._detailed(source, news, found, now)
        known = fresh.keys() & (before.open.keys() | found.open.keys())
        at = replace(at.knowing(found.open), listed=at.listed | known)
        at = replace(at, owed=(*at.owed, *found.owed))
        if _goes_on(answer.value, len(every), at.offset):
            return found, replace(at, offset=at.offset + len(every))
        at = replace(at, search=at.search + 1, offset=0)
        return found, at if at.search < len(plan) else self._to_ask(before, at)

    async def _page(self, source: Source, search: Search, offset: int) -> Salvaged[Found]:
        """What *search* finds, from *offset* on."""
        return await self._access.get_items(
            source.host,
            source.search,
            source.page,
            operation=source.operations[0],
            scheme=source.scheme,
            params={**search.params(source), "limit": str(LIMIT), "offset": str(offset)},
            names=source.names,
        )

    async def _one(
        self, source: Source, id_: str, params: Mapping[str, str] | None = None
    ) -> Salvaged[Payload]:
        """What eBay tells of one dossier."""
        return await self._access.get_items(
            source.host,
            source.one(id_),
            source.detail,
            operation=source.operations[1],
            scheme=source.scheme,
            params=params,
            names=source.names,
        )

    def _is_ours(self, source: Source, one: Any) -> bool:
        """Whether the seller sold it: who buys with the same account is no seller there."""
        buyer = getattr(one, source.buyer)
        return not (buyer and self._access.is_own(buyer))

    def _is_news(
        self, source: Source, before: Cursor, one: Any, found: _Found, now: datetime
    ) -> bool:
        """Whether more than what is known has to be read of *one*; what it asks is told anyway."""
        id_, known = source.id_of(one), before.open.get(source.id_of(one))
        if known and known.mark and known.mark == walk.mark(one, source):
            found.given += [(source.thread(id_), g) for g in known.again(source, now)]
            return False
        if known or not source.is_over(one):
            return True
        opened = instant(source.opened(one))
        if before.through is None or opened is None:
            return False
        return opened >= before.through - self._options.overlap

    async def _detailed(
        self, source: Source, news: Sequence[Any], found: _Found, now: datetime
    ) -> None:
        """Read *news* with their details, as far as they come: the others stand by themselves."""
        faulty = False
        for first in range(0, len(news), AT_ONCE):
            few = news[first : first + AT_ONCE]
            if faulty:
                details: list[_Detail] = [_Detail(is_owed=True) for _ in few]
            else:
                details = await gathered(self._try(source, source.id_of(one)) for one in few)
            faulty = faulty or any(detail.is_owed for detail in details)
            for one, detail in zip(few, details, strict=True):
                self._keep(source, one, detail, found, now)

    async def _try(self, source: Source, id_: str) -> _Detail:
        try:
            return await self._detail(source, id_)
        except (RateLimited, Unreachable):
            return _Detail(is_owed=True)
        except BadPayload as fault:
            return _Detail(aside=(_unread(source, id_, fault),))

    async def _detail(self, source: Source, id_: str) -> _Detail:
        answer = await self._one(source, id_)
        if source.steps is None:
            return _Detail(answer.value, None, answer.aside)
        steps = await self._access.get_items(
            source.host,
            f"{source.one(id_)}/activity",
            Steps,
            operation=source.steps,
            scheme=source.scheme,
        )
        return _Detail(answer.value, steps.value, (*answer.aside, *steps.aside))

    def _keep(
        self, source: Source, one: Any, detail: _Detail, found: _Found, now: datetime
    ) -> None:
        """Understand a dossier, and remember it while it is open."""
        doubts = Doubts()
        read = source.understand(one, detail.value, detail.steps, doubts)
        found.dossiers.append(read)
        found.aside += [*detail.aside, *doubts.found]
        id_ = read.id.partition(":")[2]
        if detail.is_owed:
            found.owed.append(id_)
        marked = walk.mark(one, source) if one is not None and detail.value is not None else ""
        is_done = read.is_over and not detail.is_owed
        found.open[id_] = None if is_done else _known(read, marked, now)

    def _to_ask(self, before: Cursor, at: Position) -> Position:
        """After the searches: whom they left out, whose detail failed, and a few in turn."""
        left = [id_ for id_ in at.open if id_ not in at.listed]
        same = [
            id_ for id_, one in at.open.items()
            if id_ in at.listed and one == before.open.get(id_) and one.mark
        ]  # fmt: skip
        turn = sorted(same, key=lambda id_: at.open[id_].read)[:IN_TURN]
        return replace(at, ask=tuple(dict.fromkeys((*left, *turn, *at.owed))))

    async def _asked(self, source: Source, at: Position, now: datetime) -> tuple[_Found, Position]:
        """Some of those that are asked for by their id. What fails here breaks the walk off."""
        found = _Found()
        ask = at.ask or ()
        for first in range(0, len(ask[:A_PAGE]), AT_ONCE):
            few = ask[first : min(first + AT_ONCE, A_PAGE)]
            await gathered(self._look(source, id_, found, now, at.open.get(id_)) for id_ in few)
        return found, replace(at.knowing(found.open), ask=ask[A_PAGE:])

    async def _look(
        self,
        source: Source,
        id_: str,
        found: _Found,
        now: datetime,
        known: Known | None = None,
    ) -> None:
        """Read one dossier by its id; one that cannot be read stays as it was (trap 35)."""
        try:
            detail = await self._detail(source, id_)
            one = await self._summary(source, id_, detail)
        except BadPayload as fault:
            if known is None and fault.detail in GONE:
                return
            if known is None:
                raise
            found.aside.append(_unread(source, id_, fault))
            return
        self._keep(source, one, detail, found, now)
        kept = found.open[id_]
        if kept and known and not kept.mark:
            found.open[id_] = replace(kept, mark=known.mark)

    async def _summary(self, source: Source, id_: str, detail: _Detail) -> Any:
        """What a detail leaves out of a summary; None where nothing is missing."""
        if source.is_dateless:
            return await self._searched(source, id_, detail)
        if source.short is None or getattr(detail.value, "summary", None) is not None:
            return None
        answer = await self._one(source, id_, source.short)
        found = getattr(answer.value, "summary", None)
        if found is None:
            raise BadPayload(f"{source.operations[1]}: no summary", detail="misshapen")
        return found

    async def _searched(self, source: Source, id_: str, detail: _Detail) -> Any:
        """What the search says of it: only there stands until when the seller has to answer.

        Filters by item have no effect; the instant of its opening is what the search obeys.
        """
        read = source.understand(None, detail.value, None, Doubts())
        if read.opened_at is None:
            return None
        near = walk.Search(read.opened_at - NEAR, read.opened_at + NEAR)
        answer = await self._page(source, near, 0)
        every = source.summaries(answer.value)
        return next((one for one in every if source.id_of(one) == id_), None)


@dataclass(frozen=True, slots=True)
class _Detail:
    """A dossier's detail; *is_owed*: it could not be had now."""

    value: Payload | None = None
    steps: Steps | None = None
    aside: tuple[SetAside, ...] = ()
    is_owed: bool = False


def _known(read: Dossier, marked: str, now: datetime) -> Known:
    told = [g for g in dossier.readings(read, now) if not g.asks]
    rest = told[-1] if told else None
    return Known(
        mark=marked,
        opened=walk.written(read.opened_at),
        read=now.astimezone(UTC).isoformat(),
        asked=walk.told(read.asked),
        acted=walk.written(rest.acted_at) if rest else None,
        outcome=rest.outcome if rest else None,
        is_all=read.tells_all,
    )


def _require_counted(answer: Salvaged[Found], came: int, offset: int) -> None:
    """Refuse an empty page that counts something beyond it (trap 35).

    Raises:
        BadPayload: it does.
    """
    counted = max((count for count in answer.value.counts if count is not None), default=0)
    if not came and not answer.aside and counted > offset:
        raise BadPayload("the search lists nothing of what it counts", detail="misshapen")


def _goes_on(page: Any, came: int, offset: int) -> bool:
    """Whether the search has another page; eBay may send fewer than were asked for.

    Raises:
        BadPayload: it does not end.
    """
    if came and offset >= LIMIT * MOST_PAGES:
        raise BadPayload("the search does not end")
    paging = getattr(page, "pagination_output", None) or page
    total = getattr(paging, "total_entries", None)
    total = total if total is not None else getattr(page, "total", None)
    if came and total is not None and offset + came < total:
        return True
    return came >= min(LIMIT, getattr(paging, "limit", None) or LIMIT) > 0


def _unread(source: Source, id_: str, fault: BadPayload) -> SetAside:
    """That a detail could not be read; eBay's words are left out: they may quote a buyer."""
    return salvage.set_aside(source.thread(id_), f"detail: {fault.detail or 'unreadable'}", {})
