"""Reads dossiers: walks the searches of one kind, and asks for single ones by their id.

A search tells most dates, so that what fails of a detail, or comes too late for a page, costs no
deadline: the summary is stored, what stands in the detail alone goes on as it was read, and the
detail is asked for again before the walk ends. What is unchanged is read again now and then: a
message may change no summary.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from connectors.ebay.dossiers import answering, paging, walk
from connectors.ebay.dossiers.asking import Asking
from connectors.ebay.dossiers.dossier import instant
from connectors.ebay.dossiers.findings import Detail, Findings
from connectors.ebay.dossiers.questions import AT_ONCE, Questions
from connectors.ebay.dossiers.sources import SOURCES, source_of
from connectors.ebay.dossiers.walk import Cursor, Position
from core.errors import BadPayload, RateLimited, Unreachable
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.ebay.access import Access
    from connectors.ebay.dossiers.sources import Source
    from connectors.ebay.dossiers.walk import Search
    from connectors.ebay.options import EbayOptions
    from core.connector import Sent
    from core.model import Draft, Page, Thread

WITHIN = 35.0
"""Seconds after which a page asks for no further detail: what was read is stored in time."""

OWED = Detail(is_owed=True)


@dataclass(frozen=True, slots=True)
class _Walk:
    """What the pages of a walk have in common; *until* (monotonic) is of this page alone.

    *plan* are its searches, *again* the open dossiers that are read though nothing changed.
    """

    source: Source
    before: Cursor
    now: datetime
    plan: Sequence[Search]
    again: frozenset[str]
    until: float


class Dossiers:
    """The dossiers of one account; keeps nothing between calls."""

    def __init__(self, access: Access, options: EbayOptions) -> None:
        self._access, self._options = access, options
        self._questions = Questions(access)
        self._asking = Asking(self._questions, access.is_own)

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``inquiries``, ``returns``, ``cancellations``, ``cases`` or ``disputes``."""
        this = self._walk(SOURCES[stream], Cursor.read(cursor), now)
        at = Position.read(position, this.before)
        if at.ask is None and at.search < len(this.plan):
            found, at = await self._listed(this, at)
        else:
            found, at = await self._asking.some(this.source, at, now, this.until)
        page = found.page()
        if at.ask != ():
            return replace(page, position=at.write(), more=True)
        swept = now if walk.is_sweep(this.before, now) else this.before.swept
        return replace(page, cursor=Cursor(now, swept, at.open).write())

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These dossiers as they are now; those that eBay does not know are left out."""
        found = Findings(now, self._access.is_own)
        for thread in threads:
            known = source_of(thread)
            if known is not None:
                await self._asking.look(*known, found)
        return found.page()

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:  # noqa: ARG002  # the protocol hands it to everybody
        """Write to the buyer of an inquiry or a return."""
        return await answering.reply(self._access, thread, draft)

    def _walk(self, source: Source, before: Cursor, now: datetime) -> _Walk:
        plan = walk.searches(source, before, self._options.overlap, now)
        again = walk.again(before.open, self._options.dossiers_every, now)
        return _Walk(source, before, now, plan, again, monotonic() + WITHIN)

    async def _listed(self, this: _Walk, at: Position) -> tuple[Findings, Position]:
        """One page of a search: what is new in it, with details."""
        source, before = this.source, this.before
        found = Findings(this.now, self._access.is_own)
        answer = await self._questions.page(source, this.plan[at.search], at.offset)
        came = paging.came(source, answer)
        paging.require_counted(answer.value, came, at.offset)
        every = {source.id_of(one): one for one in source.summaries(answer.value)}
        fresh = {id_: one for id_, one in every.items() if self._is_ours(source, one)}
        for id_ in sorted(at.open.keys() & every.keys() - fresh.keys()):
            found.keep(source, every[id_], Detail())
        found.aside += answer.aside
        news = [
            one for id_, one in fresh.items()
            if id_ not in at.listed and self._is_news(this, id_, one, found)
        ]  # fmt: skip
        await self._detailed(this, news, found)
        known = fresh.keys() & (before.open.keys() | found.open.keys())
        at = replace(at.knowing(found.open), listed=at.listed | known)
        at = replace(at, owed={**at.owed, **found.owed}, works=at.works or found.works)
        if paging.goes_on(answer.value, came, at.offset):
            return found, replace(at, offset=at.offset + came)
        at = replace(at, search=at.search + 1, offset=0)
        return found, at if at.search < len(this.plan) else _to_ask(this, at)

    def _is_ours(self, source: Source, one: Any) -> bool:
        """Whether the seller sold it: who buys with the same account is no seller there."""
        buyer = getattr(one, source.buyer)
        return not (buyer and self._access.is_own(buyer))

    def _is_news(self, this: _Walk, id_: str, one: Any, found: Findings) -> bool:
        """Whether more than what is known has to be read of *one*; what it asks is told anyway."""
        source, known = this.source, this.before.open.get(id_)
        if known and known.mark and known.mark == walk.mark(one, source) and id_ not in this.again:
            found.stands(source, id_, known)
            return False
        if known or not source.is_over(one):
            return True
        opened = instant(source.opened(one))
        if this.before.through is None or opened is None:
            return False
        return opened >= this.before.through - self._options.overlap

    async def _detailed(self, this: _Walk, news: Sequence[Any], found: Findings) -> None:
        """Read *news* with their details, as far as they come: the others stand by themselves."""
        source, is_vain = this.source, False
        for first in range(0, len(news), AT_ONCE):
            few = [(source.id_of(one), one) for one in news[first : first + AT_ONCE]]
            if is_vain:
                details = [OWED for _ in few]
            else:
                details = await gathered(self._try(this, id_, found) for id_, _ in few)
            is_vain = all(detail.is_owed for detail in details)
            for (id_, one), detail in zip(few, details, strict=True):
                found.keep(source, one, detail, this.before.open.get(id_))

    async def _try(self, this: _Walk, id_: str, found: Findings) -> Detail:
        try:
            async with asyncio.timeout(max(0.0, this.until - monotonic())):
                return await self._questions.detail(this.source, id_)
        except (RateLimited, Unreachable, TimeoutError):
            return OWED
        except BadPayload as fault:
            found.refuses(this.source, id_, fault)
            return Detail()


def _to_ask(this: _Walk, at: Position) -> Position:
    """After the searches: whom they left out, but could have found, and whose detail failed."""
    left = [
        id_ for id_, one in at.open.items()
        if id_ not in at.listed and (id_ in this.again or not walk.is_beyond(one, this.now))
    ]  # fmt: skip
    return replace(at, ask=tuple(dict.fromkeys((*left, *at.owed))))
