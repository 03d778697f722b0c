"""How the accounts are read and what is muted: what is known of us, nothing of buyers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from math import isinf
from typing import TYPE_CHECKING

from core.access import Act
from core.measuring.facts import Clocks, Reading
from core.web import pages, troubles
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from core.access import Who
    from core.measuring.facts import Snapshot
    from core.rules import Rules


@dataclass(frozen=True, slots=True)
class Row:
    """One account; *bands* is None where its clocks were not counted yet."""

    title: str
    marketplace: str
    bands: tuple[int, ...] | None
    next_deadline: datetime | None
    last_read: datetime | None


async def show(request: web.Request) -> web.Response:
    """The accounts that somebody sees, how each is, and what is wrong with us."""
    here, asks = parts(request), who(request)
    snapshot = await here.watched.snapshot()
    faults = await here.watched.faults()
    return pages.page(
        request,
        "status.html",
        status=HTTPStatus.SERVICE_UNAVAILABLE if faults else HTTPStatus.OK,
        faults=faults,
        troubles=list(troubles.of_program(faults, sure=True)),
        rows=list(_rows(here.rules(), snapshot, asks)),
        counted=_instant(snapshot.counted.at) if snapshot else None,
        muted=list(_muted(snapshot, asks)),
    )


def _rows(rules: Rules, snapshot: Snapshot | None, asks: Who) -> Iterator[Row]:
    for name, account in sorted(rules.accounts.items()):
        if snapshot is None or not asks.sees(name):
            continue
        clocks = snapshot.counted.clocks.get(name, Clocks())
        reading = snapshot.readings.get(name, Reading())
        yield Row(
            account.title,
            account.marketplace,
            clocks.bands if snapshot.counted.at else None,
            _instant(clocks.next_deadline),
            _instant(reading.last_success),
        )


def _muted(snapshot: Snapshot | None, asks: Who) -> Iterator[tuple[str, str, datetime]]:
    """What is not told, and until when; of accounts, those that somebody sees."""
    for (scope, name), of in (snapshot.muted if snapshot else {}).items():
        until = _instant(of.until)
        if until is not None and (scope != "account" or asks.sees(name)):
            yield scope, name, until


def _instant(at: float) -> datetime | None:
    """An instant as a page shows it; None: never, or none ahead."""
    return None if isinf(at) or at == 0.0 else datetime.fromtimestamp(at, UTC)


WAYS = (Way("GET", "/status", show, Act.LOOK),)
