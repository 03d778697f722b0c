"""What a page of dossiers comes to, and what is remembered of each. Pure.

What could not be read of a dossier ends nothing: what is known of it stands, and is told again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from connectors.ebay.dossiers import dossier, walk
from connectors.ebay.dossiers.dossier import Doubts
from connectors.ebay.dossiers.walk import Known
from core.transport import salvage

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.ebay.dossiers.dossier import Dossier
    from connectors.ebay.dossiers.payload import Payload, Steps
    from connectors.ebay.dossiers.sources import Source
    from core.errors import ConnectorError
    from core.model import Page, SetAside
    from sla.clock import Given


@dataclass(frozen=True, slots=True)
class Detail:
    """A dossier's detail; *is_owed*: it could not be had now."""

    value: Payload | None = None
    steps: Steps | None = None
    aside: tuple[SetAside, ...] = ()
    is_owed: bool = False


@dataclass(slots=True)
class Findings:
    """What was read at *now*; *is_own* tells the seller's names.

    *open* are the dossiers that were read, None where one is over; *owed* those whose detail could
    not be had, with the mark of the summary; *works*: eBay answered when a detail was asked for.
    """

    now: datetime
    is_own: Callable[[str], bool]
    dossiers: list[Dossier] = field(default_factory=list)
    given: list[tuple[str, Given]] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    open: dict[str, Known | None] = field(default_factory=dict)
    owed: dict[str, str] = field(default_factory=dict)
    works: bool = False

    def page(self) -> Page:
        """All of it, without a cursor."""
        page = dossier.page(self.dossiers, self.now)
        return replace(page, given=(*page.given, *self.given), set_aside=tuple(self.aside))

    def stands(self, source: Source, id_: str, known: Known) -> None:
        """What was asked when it was read is asked now."""
        self.given += [(source.thread(id_), one) for one in known.again(source, self.now)]

    def keep(self, source: Source, one: Any, detail: Detail, known: Known | None = None) -> None:
        """Understand a dossier by its summary and its detail, and remember it while it is open.

        Without a detail, what is *known* stands as long as the summary says the same, and where it
        says that the dossier is over, but not how: that is open until a detail tells it. Where the
        seller is the buyer nothing is asked of him; he may have been taken for another before.
        """
        doubts = Doubts()
        read = source.understand(one, detail.value, detail.steps, doubts)
        id_, marked = read.id.partition(":")[2], walk.mark(one, source) if one is not None else ""
        self.aside += [*detail.aside, *doubts.found]
        if read.buyer and self.is_own(read.buyer):
            self.dossiers.append(dossier.bought(read))
            self.open[id_] = None
            return
        self.works = self.works or not detail.is_owed
        if detail.is_owed:
            self.owed[id_] = marked
        if known and detail.value is None and (known.mark == marked or _ends_somehow(read)):
            self.stands(source, id_, known)
            self.open[id_] = known if detail.is_owed else replace(known, mark="")
            return
        self.dossiers.append(read)
        marked = marked if detail.value is not None else ""
        is_done = read.is_over and not detail.is_owed
        self.open[id_] = None if is_done else _known(read, marked, self.now)

    def refuses(
        self, source: Source, id_: str, fault: ConnectorError, known: Known | None = None
    ) -> None:
        """Set aside that its detail could not be read; what is *known* is to be read again.

        eBay's words are left out: they may quote a buyer.
        """
        reason = f"detail: {fault.detail or 'unreadable'}"
        self.aside.append(salvage.set_aside(source.thread(id_), reason, {}))
        if known:
            self.open[id_] = replace(known, mark="")


def _ends_somehow(read: Dossier) -> bool:
    return read.is_over and not read.tells_all


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
