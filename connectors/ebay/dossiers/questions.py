"""Asks eBay about dossiers: a page of a search, the detail of one, and what that leaves out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.ebay.dossiers import paging, walk
from connectors.ebay.dossiers.dossier import Doubts
from connectors.ebay.dossiers.findings import Detail
from connectors.ebay.dossiers.payload import Steps
from core.errors import BadPayload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.ebay.access import Access
    from connectors.ebay.dossiers.payload import Found, Payload
    from connectors.ebay.dossiers.sources import Source
    from connectors.ebay.dossiers.walk import Search
    from core.transport.salvage import Salvaged

AT_ONCE = 5
"""How many dossiers are asked for side by side."""

NEAR = timedelta(minutes=1)


class Questions:
    """What is asked for one account. Each raises as `Access.get` does."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def page(self, source: Source, search: Search, offset: int) -> Salvaged[Found]:
        """What *search* finds, from *offset* on."""
        return await self._access.get_items(
            source.host,
            source.search,
            source.page,
            operation=source.operations[0],
            scheme=source.scheme,
            params={**search.params(source), "limit": str(paging.LIMIT), "offset": str(offset)},
            names=source.names,
        )

    async def detail(self, source: Source, id_: str) -> Detail:
        """What eBay tells of one dossier, with its history where that stands by itself."""
        answer = await self._one(source, id_)
        if source.steps is None:
            return Detail(answer.value, None, answer.aside)
        steps = await self._access.get_items(
            source.host,
            f"{source.one(id_)}/activity",
            Steps,
            operation=source.steps,
            scheme=source.scheme,
        )
        return Detail(answer.value, steps.value, (*answer.aside, *steps.aside))

    async def summary(self, source: Source, id_: str, detail: Detail) -> Any:
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

    async def _one(
        self, source: Source, id_: str, params: Mapping[str, str] | None = None
    ) -> Salvaged[Payload]:
        return await self._access.get_items(
            source.host,
            source.one(id_),
            source.detail,
            operation=source.operations[1],
            scheme=source.scheme,
            params=params,
            names=source.names,
        )

    async def _searched(self, source: Source, id_: str, detail: Detail) -> Any:
        """What the search says of it: only there stands until when the seller has to answer.

        Filters by item have no effect; the instant of its opening is what the search obeys.
        """
        read = source.understand(None, detail.value, None, Doubts())
        if read.opened_at is None:
            return None
        near = walk.Search(read.opened_at - NEAR, read.opened_at + NEAR)
        answer = await self.page(source, near, 0)
        every = source.summaries(answer.value)
        return next((one for one in every if source.id_of(one) == id_), None)
