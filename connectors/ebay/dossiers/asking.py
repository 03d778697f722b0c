"""Asks for dossiers by their id: whom the searches left out, and whose detail could not be had.

One that cannot be read costs the others nothing: it stays open as it was known, a person is told,
and the next walk asks again. Only where none can be read is eBay not to be reached.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from connectors.ebay.dossiers.findings import Findings
from connectors.ebay.dossiers.questions import AT_ONCE
from core.errors import BadPayload, RateLimited, Unreachable
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.ebay.dossiers.questions import Questions
    from connectors.ebay.dossiers.sources import Source
    from connectors.ebay.dossiers.walk import Known, Position

A_PAGE = 20
"""How many dossiers are asked for by their id in a page at most."""

PROOF_WITHIN = 10.0
"""Seconds for one that could be read before: beyond a page's time, and below core's limit."""

LATE = "timeout"
GONE = frozenset({"404", "410"})

Fault = Unreachable | RateLimited


class Asking:
    """What is asked for by its id; keeps nothing between calls."""

    def __init__(self, questions: Questions, is_own: Callable[[str], bool]) -> None:
        self._questions, self._is_own = questions, is_own

    async def some(
        self, source: Source, at: Position, now: datetime, until: float
    ) -> tuple[Findings, Position]:
        """Some of those that *at* has to ask for, until (monotonic) *until*; at least the first.

        Raises:
            RateLimited: at once.
            Unreachable: neither these can be read nor another one.
        """
        found, ask, asked = Findings(now, self._is_own), at.ask or (), 0
        while ask and asked < A_PAGE:
            few, ask = ask[:AT_ONCE], ask[AT_ONCE:]
            faults = await self._asked(source, few, at, found, until)
            late = {id_: fault for id_, fault in faults.items() if _is_for_later(fault, asked)}
            if not asked and len(late) == len(few):
                raise next(iter(late.values()))
            failed = {id_: fault for id_, fault in faults.items() if id_ not in late}
            if len(faults) < len(few):
                at = replace(at, works=True)
            elif failed:
                at = await self._doubted(source, at, found, next(iter(failed.values())))
            for id_, fault in failed.items():
                found.refuses(source, id_, fault, at.open.get(id_))
            asked += len(few)
            if late:
                ask = (*late, *ask)
                break
        return found, replace(at.knowing(found.open), ask=ask)

    async def look(
        self,
        source: Source,
        id_: str,
        found: Findings,
        known: Known | None = None,
        marked: str = "",
    ) -> None:
        """Read one dossier by its id; one that cannot be read stays as it was (trap 35).

        *marked* is the mark of its summary in this walk.

        Raises:
            BadCredentials, RateLimited, Unreachable: as `Access.get` says.
            BadPayload: it cannot be read, and nothing is *known* of it.
        """
        try:
            detail = await self._questions.detail(source, id_)
            one = await self._questions.summary(source, id_, detail)
        except BadPayload as fault:
            if known is None and fault.detail in GONE:
                return
            if known is None:
                raise
            found.refuses(source, id_, fault, known)
            return
        found.keep(source, one, detail)
        kept = found.open[id_]
        if kept and known and not kept.mark:
            found.open[id_] = replace(kept, mark=marked or known.mark)

    async def _asked(
        self, source: Source, few: tuple[str, ...], at: Position, found: Findings, until: float
    ) -> dict[str, Fault]:
        """What kept some of *few* from being read."""
        tried = await gathered(self._try(source, id_, at, found, until) for id_ in few)
        return dict(fault for fault in tried if fault)

    async def _try(
        self, source: Source, id_: str, at: Position, found: Findings, until: float
    ) -> tuple[str, Fault] | None:
        """Which could not be read, and why."""
        try:
            async with asyncio.timeout(max(0.0, until - monotonic())):
                await self.look(source, id_, found, at.open.get(id_), at.owed.get(id_, ""))
        except (RateLimited, Unreachable) as fault:
            return id_, fault
        except TimeoutError:
            late = f"{source.operations[1]}: no answer in a page's time"
            return id_, Unreachable(late, detail=LATE)
        return None

    async def _doubted(
        self, source: Source, at: Position, found: Findings, fault: Fault
    ) -> Position:
        """After several at once of which none was read: the second time another one has to be.

        Raises:
            Unreachable: it is not either.
        """
        if at.works:
            return replace(at, works=False)
        pending = set(at.ask or ()) - found.open.keys()
        now = at.knowing(found.open)
        others = [id_ for id_, one in now.open.items() if one.mark and id_ not in pending]
        if not others:
            raise fault
        id_ = max(others, key=lambda other: (now.open[other].read, other))
        proof = monotonic() + PROOF_WITHIN
        refused = await self._try(source, id_, now, found, proof)
        if refused and isinstance(refused[1], Unreachable):
            raise fault
        return replace(at, works=True)


def _is_for_later(fault: Fault, asked: int) -> bool:
    """Whether it says nothing of the dossier; that there was no time may come of *asked* others."""
    return isinstance(fault, RateLimited) or (asked > 0 and fault.detail == LATE)
